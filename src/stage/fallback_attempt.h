// One request on its way through engines that can do it, one after another until one has begun.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"
#include "stage/job.h"

namespace stagedoor::stage {

// Told of each failure of an engine. Called on any thread; must not block.
using EngineFailed = std::function<void(const base::Error& why)>;

// `Event` is what an engine's sink takes, with base::Error among it. Held by its job, and weakly by
// the engines' sinks: so nothing is told once the job is gone. Safe for concurrent use.
template <class Event>
class FallbackAttempt : public std::enable_shared_from_this<FallbackAttempt<Event>> {
 public:
  using Sink = std::function<void(Event)>;
  // Asks one engine; called once at most.
  using Ask = std::move_only_function<std::unique_ptr<Job>(Sink)>;
  // Whether after this event it is too late for another engine.
  using HasBegun = bool (*)(const Event&);

  struct Parts {
    std::vector<Ask> engines;  // in the order of trying, at least one
    HasBegun has_begun;
    EngineFailed failed;  // may be empty
  };
  FallbackAttempt(Parts parts, Sink sink) : parts_(std::move(parts)), sink_(std::move(sink)) {}

  // The job of the whole.
  static std::unique_ptr<Job> start(Parts parts, Sink sink) {
    auto attempt = std::make_shared<FallbackAttempt>(std::move(parts), std::move(sink));
    attempt->ask(0);
    return std::make_unique<Holder>(std::move(attempt));
  }

 private:
  class Holder : public Job {
   public:
    explicit Holder(std::shared_ptr<FallbackAttempt> attempt) : attempt_(std::move(attempt)) {}

   private:
    std::shared_ptr<FallbackAttempt> attempt_;
  };

  void ask(std::size_t index) {
    // Each engine's events are told from those of the one before by its index.
    auto job = parts_.engines[index]([weak = this->weak_from_this(), index](Event event) {
      if (const auto attempt = weak.lock()) attempt->on_event(index, std::move(event));
    });
    const std::lock_guard lock(mutex_);
    // It may have failed before it was there to be kept.
    if (current_ == index) job_ = std::move(job);
  }

  void on_event(std::size_t index, Event event) {
    const auto* const error = std::get_if<base::Error>(&event);
    bool is_next = false;
    std::unique_ptr<Job> failed;  // Ends outside the lock.
    {
      const std::lock_guard lock(mutex_);
      if (index != current_) return;
      has_begun_ |= parts_.has_begun(event);
      is_next = error && !has_begun_ && index + 1 < parts_.engines.size();
      if (is_next) {
        ++current_;
        failed = std::move(job_);
      }
    }
    if (error && parts_.failed) parts_.failed(*error);
    if (is_next) return ask(index + 1);
    sink_(std::move(event));
  }

  Parts parts_;
  Sink sink_;
  std::mutex mutex_;
  std::size_t current_ = 0;
  bool has_begun_ = false;
  std::unique_ptr<Job> job_;
};

}  // namespace stagedoor::stage
