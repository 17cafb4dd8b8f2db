#include "server/bookkeeping.h"

#include <chrono>

namespace stagedoor::server {

Bookkeeping::Bookkeeping(Workspace& workspace, base::Log& log)
    : workspace_(workspace),
      log_(log),
      audit_({.trail = *workspace.audit_trail, .log = *workspace.audit, .clock = workspace.clock}),
      usage_report_(*workspace.readers),
      usage_({.report = usage_report_, .catalog = *workspace.catalog, .clock = workspace.clock}),
      sessions_({.records = *workspace.session_records, .reports = *workspace.session_reports}) {
  if (const auto newest = workspace_.audit_trail->newest(workspace_.audit->sealer()))
    last_checkpoint_ = newest->number;
  thread_ = std::thread([this] { run(); });
}

void Bookkeeping::run() {
  std::unique_lock lock(mutex_);
  for (int second = 1;
       !wake_.wait_for(lock, std::chrono::seconds(1), [this] { return is_ending_; }); ++second) {
    lock.unlock();
    workspace_.audit->flush();
    workspace_.limiter->tend();
    if (second % seconds_between_usage == 0) workspace_.key_usage->flush();
    if (second % seconds_between_forgettings == 0) {
      workspace_.persona_snapshots->forget(workspace_.clock.now());
      workspace_.session_reports->look_after(workspace_.clock.now());
    }
    write_checkpoint(entries_between);
    lock.lock();
  }
}

void Bookkeeping::close() {
  {
    const std::lock_guard lock(mutex_);
    is_ending_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
  workspace_.audit->finish();
  workspace_.key_usage->finish();
  workspace_.writer->stop();
  write_checkpoint(1);
}

void Bookkeeping::write_checkpoint(std::int64_t entries_least) {
  const auto newest = workspace_.audit_trail->newest(workspace_.audit->sealer());
  if (!newest && !is_broken_)
    log_.write(base::LogLevel::error, "audit.broken", {{"why", newest.error().detail}});
  is_broken_ = !newest;
  if (is_broken_) return;
  if (newest->number < last_checkpoint_ + entries_least) return;
  last_checkpoint_ = newest->number;
  log_.write(base::LogLevel::info, "audit.checkpoint",
             {{"number", newest->number}, {"checkpoint", rules::text_of(*newest)}});
}

}  // namespace stagedoor::server
