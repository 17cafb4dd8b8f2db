#include "server/minute_watch.h"

#include <algorithm>

namespace stagedoor::server {

using std::chrono::milliseconds;

void MinuteWatch::start() {
  thread_ = std::thread([this] { run(); });
}

void MinuteWatch::stop() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void MinuteWatch::run() {
  std::unique_lock lock(mutex_);
  while (!is_stopping_) {
    lock.unlock();
    const auto next = look();
    lock.lock();
    wake_.wait_for(lock, next, [this] { return is_stopping_; });
  }
}

milliseconds MinuteWatch::look() {
  const auto now = parts_.clock.now();
  const auto outlook = parts_.meter.outlook(
      [this](std::string_view app_id) {
        const auto* app = parts_.catalog.app(app_id);
        return app == nullptr ? std::nullopt : app->limits.monthly_minutes;
      },
      now);
  for (const auto& app_id : outlook.used_up) {
    const auto ended = parts_.sessions.end_where(
        [&](const rules::LiveSession& session) {
          return session.app_id == app_id && session.environment == rules::Environment::live &&
                 rules::month_of(session.began_at) == rules::month_of(now);
        },
        rules::SessionEnd::minutes_used_up);
    if (ended == 0) continue;
    parts_.log.write(base::LogLevel::warning, "app.minutes_used_up",
                     {{"app_id", app_id}, {"live_sessions_ended", ended}});
  }
  constexpr milliseconds longest{1000};
  return std::min(outlook.next.value_or(longest), longest);
}

}  // namespace stagedoor::server
