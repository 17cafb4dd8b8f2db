// What time it is, passed in, so that a test can say it.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

namespace stagedoor::base {

// Wall-clock time; what credentials are measured by.
using Instant = std::chrono::sys_time<std::chrono::milliseconds>;

inline std::int64_t unix_seconds(Instant instant) {
  return std::chrono::floor<std::chrono::seconds>(instant).time_since_epoch().count();
}
inline std::int64_t unix_millis(Instant instant) {
  return instant.time_since_epoch().count();
}
inline Instant from_unix_seconds(std::int64_t seconds) {
  return Instant(std::chrono::seconds(seconds));
}

// Safe for concurrent use.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Instant now() const = 0;
};

class SystemClock : public Clock {
 public:
  Instant now() const override {
    return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
  }
};

// Stands still until it is moved: for tests and simulations.
class ManualClock : public Clock {
 public:
  explicit ManualClock(Instant start) : millis_(start.time_since_epoch().count()) {}
  Instant now() const override { return Instant(std::chrono::milliseconds(millis_.load())); }
  void advance(std::chrono::milliseconds by) { millis_ += by.count(); }
  void set(Instant instant) { millis_ = instant.time_since_epoch().count(); }

 private:
  std::atomic<std::int64_t> millis_;
};

}  // namespace stagedoor::base
