// Waiting on a worker, with a limit, for an answer that comes through a callback on another thread.
// On an event loop http/await.h waits instead.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <utility>

#include "base/result.h"

namespace stagedoor::http {

// Calls `start` with a callback that may be called once, from any thread. `Answer` is a
// base::Result or another std::expected that a base::Error can refuse: `unavailable` where the
// callback has not been called within `patience`, or was dropped uncalled, as by a loop that has
// ended.
template <class Answer>
Answer answer_within(std::chrono::seconds patience,
                     std::move_only_function<void(std::move_only_function<void(Answer)>)> start) {
  struct Slot {
    std::promise<Answer> promise;
    bool is_filled = false;
    ~Slot() {
      if (!is_filled)
        promise.set_value(base::fail(base::ErrorCode::unavailable, "nobody is left to answer"));
    }
  };
  auto slot = std::make_shared<Slot>();
  auto answer = slot->promise.get_future();
  start([slot = std::move(slot)](Answer value) {
    slot->is_filled = true;
    slot->promise.set_value(std::move(value));
  });
  if (answer.wait_for(patience) != std::future_status::ready)
    return base::fail(base::ErrorCode::unavailable, "no answer in time");
  return answer.get();
}

}  // namespace stagedoor::http
