// Ends the live sessions of apps whose minutes of this month are used up
// (rule app-monthly-minutes).
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/clock.h"
#include "base/log.h"
#include "rules/live_session.h"
#include "store/memory_minute_meter.h"

namespace stagedoor::server {

// Looks at the time when the next app's minutes will be used up, and once a second at least.
class MinuteWatch {
 public:
  struct Parts {
    const rules::Catalog& catalog;
    const store::MemoryMinuteMeter& meter;
    rules::LiveSessions& sessions;
    const base::Clock& clock;
    base::Log& log;
  };
  explicit MinuteWatch(Parts parts) : parts_(parts) {}
  ~MinuteWatch() { stop(); }

  void start();
  void stop();

 private:
  void run();
  std::chrono::milliseconds look();

  Parts parts_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool is_stopping_ = false;
  std::thread thread_;
};

}  // namespace stagedoor::server
