#include "store/memory_live_sessions.h"

#include <utility>

namespace stagedoor::store {

namespace {

// An app's id holds no blank.
std::string key_of(const rules::PlacesOf& whose) {
  return std::string(whose.app_id).append(" ").append(rules::name_of(whose.environment));
}

}  // namespace

base::Result<rules::Place> MemoryLiveSessions::enter(const rules::PlacesOf& whose, int sessions_max,
                                                     std::string_view token_id) {
  auto app = key_of(whose);
  const std::lock_guard lock(mutex_);
  const auto found = places_.find(app);
  const int taken = found == places_.end() ? 0 : found->second;
  if (taken >= sessions_max) {
    return base::fail(base::ErrorCode::concurrency_limited,
                      "app has " + std::to_string(taken) + " sessions that are " +
                          std::string(rules::name_of(whose.environment)));
  }
  places_[app] = taken + 1;
  ++count_;
  ++of_token_[std::string(token_id)].places;
  return hold_under_lock(std::move(app), token_id);
}

std::optional<rules::Place> MemoryLiveSessions::enter_again(const rules::PlacesOf& whose,
                                                            std::string_view token_id) {
  auto app = key_of(whose);
  const std::lock_guard lock(mutex_);
  if (!of_token_.contains(std::string(token_id))) return std::nullopt;
  return hold_under_lock(std::move(app), token_id);
}

rules::Place MemoryLiveSessions::hold_under_lock(std::string app, std::string_view token_id) {
  std::string token(token_id);
  ++of_token_[token].holders;
  return rules::Place(
      [this, app = std::move(app), token = std::move(token)] { leave(app, token); });
}

void MemoryLiveSessions::leave(const std::string& app, const std::string& token_id) {
  const std::lock_guard lock(mutex_);
  auto& held = of_token_[token_id];
  --held.holders;
  if (held.places > held.holders) {
    --held.places;
    --count_;
    const auto left = places_.find(app);
    if (--left->second == 0) places_.erase(left);
  }
  if (held.holders == 0) of_token_.erase(token_id);
}

std::size_t MemoryLiveSessions::count() const {
  const std::lock_guard lock(mutex_);
  return count_;
}

std::size_t MemoryLiveSessions::count_of(const rules::PlacesOf& whose) const {
  const auto key = key_of(whose);
  const std::lock_guard lock(mutex_);
  const auto found = places_.find(key);
  return found == places_.end() ? 0 : static_cast<std::size_t>(found->second);
}

rules::Place MemoryLiveSessions::announce(rules::LiveSession session, End end) {
  const std::lock_guard lock(mutex_);
  auto id = session.id;
  const auto number = ++announced_;
  auto& known = known_[id];
  if (known.end) known.end(rules::SessionEnd::replaced);
  known = {.session = std::move(session), .end = std::move(end), .number = number};
  if (const auto over = ended_.find(id); over != ended_.end()) known.end(over->second);
  return rules::Place([this, number, id = std::move(id)] {
    const std::lock_guard leaving(mutex_);
    const auto found = known_.find(id);
    // Another connection may hold the session by then.
    if (found != known_.end() && found->second.number == number) known_.erase(found);
  });
}

std::size_t MemoryLiveSessions::end_where(const IsMeant& is_meant, rules::SessionEnd why) {
  const std::lock_guard lock(mutex_);
  std::size_t ended = 0;
  for (const auto& [id, known] : known_) {
    if (!is_meant(known.session)) continue;
    known.end(why);
    ++ended;
  }
  return ended;
}

bool MemoryLiveSessions::end(std::string_view id, rules::SessionEnd why) {
  const std::lock_guard lock(mutex_);
  const auto found = known_.find(id);
  if (found == known_.end()) return false;
  found->second.end(why);
  if (!ended_.emplace(id, why).second) return true;
  ended_in_order_.emplace_back(id);
  if (ended_in_order_.size() <= ended_max) return true;
  ended_.erase(ended_in_order_.front());
  ended_in_order_.pop_front();
  return true;
}

std::optional<rules::LiveSession> MemoryLiveSessions::find(std::string_view id) const {
  const std::lock_guard lock(mutex_);
  const auto found = known_.find(id);
  return found == known_.end() ? std::nullopt : std::optional(found->second.session);
}

std::vector<rules::LiveSession> MemoryLiveSessions::list(const IsMeant& is_meant,
                                                         std::string_view after,
                                                         std::size_t count_max) const {
  std::vector<rules::LiveSession> sessions;
  const std::lock_guard lock(mutex_);
  for (auto next = known_.upper_bound(after); next != known_.end(); ++next) {
    if (sessions.size() == count_max) break;
    if (is_meant(next->second.session)) sessions.push_back(next->second.session);
  }
  return sessions;
}

}  // namespace stagedoor::store
