// What an engine sent, gathered from its thread, and a wait for its end.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <utility>
#include <vector>

namespace stagedoor::engines {

// Safe for concurrent use.
template <class Event>
class Events {
 public:
  void add(Event event) {
    const std::lock_guard lock(mutex_);
    all_.push_back(std::move(event));
    changed_.notify_all();
  }
  // All events, once `is_enough` holds of them, or after 20 s.
  std::vector<Event> wait_for(std::function<bool(const std::vector<Event>&)> is_enough) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::seconds(20), [&] { return is_enough(all_); });
    return all_;
  }
  std::vector<Event> so_far() {
    const std::lock_guard lock(mutex_);
    return all_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Event> all_;
};

}  // namespace stagedoor::engines
