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

rules::Place MemoryLiveSessions::announce(rules::LiveSession session, End end) {
  const std::lock_guard lock(mutex_);
  auto id = session.id;
  known_.insert_or_assign(id, Known{.session = std::move(session), .end = std::move(end)});
  return rules::Place([this, id = std::move(id)] {
    const std::lock_guard leaving(mutex_);
    known_.erase(id);
  });
}

std::size_t MemoryLiveSessions::end_where(
    const std::function<bool(const rules::LiveSession&)>& is_meant, rules::SessionEnd why) {
  const std::lock_guard lock(mutex_);
  std::size_t ended = 0;
  for (const auto& [id, known] : known_) {
    if (!is_meant(known.session)) continue;
    known.end(why);
    ++ended;
  }
  return ended;
}

}  // namespace stagedoor::store
