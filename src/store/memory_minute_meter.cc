#include "store/memory_minute_meter.h"

#include <algorithm>

namespace stagedoor::store {

using std::chrono::milliseconds;

std::int64_t MemoryMinuteMeter::Month::seconds(base::Instant now) const {
  const auto live_millis = running * base::unix_millis(now) - counted_until_millis;
  return ended_seconds + std::max<std::int64_t>(live_millis, 0) / 1000;
}

// The app's month if a session that began then counts in it; null: it is of an earlier month.
MemoryMinuteMeter::Month* MemoryMinuteMeter::month_under_lock(const std::string& app_id,
                                                              base::Instant began_at) {
  const auto begin = rules::month_of(began_at);
  auto& month = months_[app_id];
  if (month.began_at < begin) month = {.began_at = begin};
  return month.began_at == begin ? &month : nullptr;
}

void MemoryMinuteMeter::load(const std::string& app_id, std::int64_t seconds, base::Instant now) {
  const std::lock_guard lock(mutex_);
  if (auto* month = month_under_lock(app_id, now)) month->ended_seconds = seconds;
}

std::int64_t MemoryMinuteMeter::seconds_used(std::string_view app_id, base::Instant now) const {
  const std::lock_guard lock(mutex_);
  const auto month = months_.find(app_id);
  if (month == months_.end() || month->second.began_at != rules::month_of(now)) return 0;
  return month->second.seconds(now);
}

void MemoryMinuteMeter::begin(const rules::LiveSession& session, int connection,
                              base::Instant counted_until) {
  if (session.environment != rules::Environment::live) return;
  const std::lock_guard lock(mutex_);
  const auto [running, is_new] = running_.try_emplace(session.id);
  running->second.connection = connection;
  if (!is_new) return;
  running->second.app_id = session.app_id;
  running->second.began_at = session.began_at;
  running->second.counted_until = counted_until;
  if (auto* month = month_under_lock(session.app_id, session.began_at)) {
    ++month->running;
    month->counted_until_millis += base::unix_millis(counted_until);
  }
}

void MemoryMinuteMeter::end(std::string_view session_id, int connection, base::Instant at) {
  const std::lock_guard lock(mutex_);
  const auto found = running_.find(session_id);
  if (found == running_.end() || found->second.connection != connection) return;
  const auto running = std::move(found->second);
  running_.erase(found);
  auto* month = month_under_lock(running.app_id, running.began_at);
  if (month == nullptr) return;
  --month->running;
  month->counted_until_millis -= base::unix_millis(running.counted_until);
  month->ended_seconds +=
      std::max<std::int64_t>(rules::whole_seconds(running.began_at, at) -
                                 rules::whole_seconds(running.began_at, running.counted_until),
                             0);
}

MemoryMinuteMeter::Outlook MemoryMinuteMeter::outlook(const MinutesOf& minutes_of,
                                                      base::Instant now) const {
  Outlook outlook;
  const auto present = rules::month_of(now);
  const std::lock_guard lock(mutex_);
  for (const auto& [app_id, month] : months_) {
    if (month.running == 0 || month.began_at != present) continue;
    const auto minutes = minutes_of(app_id);
    if (!minutes) continue;
    const auto left = *minutes * 60 - month.seconds(now);
    if (left <= 0) {
      outlook.used_up.push_back(app_id);
      continue;
    }
    const milliseconds until(left * 1000 / month.running + 1);
    outlook.next = std::min(outlook.next.value_or(until), until);
  }
  return outlook;
}

}  // namespace stagedoor::store
