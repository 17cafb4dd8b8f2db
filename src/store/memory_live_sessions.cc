#include "store/memory_live_sessions.h"

namespace stagedoor::store {

base::Result<rules::Place> MemoryLiveSessions::enter(std::string_view app_id, int sessions_max) {
  const std::lock_guard lock(mutex_);
  auto found = by_app_.find(app_id);
  const int live = found == by_app_.end() ? 0 : found->second;
  if (live >= sessions_max) {
    return base::fail(base::ErrorCode::concurrency_limited,
                      "app has " + std::to_string(live) + " live sessions");
  }
  if (found == by_app_.end()) found = by_app_.emplace(app_id, 0).first;
  ++found->second;
  ++count_;
  return rules::Place([this, app = found->first] {
    const std::lock_guard leaving(mutex_);
    const auto left = by_app_.find(app);
    if (--left->second == 0) by_app_.erase(left);
    --count_;
  });
}

std::size_t MemoryLiveSessions::count() const {
  const std::lock_guard lock(mutex_);
  return count_;
}

std::size_t MemoryLiveSessions::count_of(std::string_view app_id) const {
  const std::lock_guard lock(mutex_);
  const auto found = by_app_.find(app_id);
  return found == by_app_.end() ? 0 : static_cast<std::size_t>(found->second);
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
