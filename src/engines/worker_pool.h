// A few threads with a bounded queue, for work of an engine that would block a loop.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <queue>
#include <stop_token>
#include <thread>
#include <vector>

#include "stage/job.h"

namespace stagedoor::engines {

// Safe for concurrent use.
class WorkerPool {
 public:
  using Work = std::move_only_function<void()>;
  WorkerPool(std::size_t threads, std::size_t waiting_max);
  // Lets what runs come to its end, and drops what waits.
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  // False, and the work is gone, while too many wait.
  [[nodiscard]] bool submit(Work work);

 private:
  void run();

  const std::size_t waiting_max_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::queue<Work> waiting_;
  bool is_stopping_ = false;
  std::vector<std::thread> threads_;
};

// A job whose work watches a stop_token.
class StoppableJob : public stage::Job {
 public:
  ~StoppableJob() override { source_.request_stop(); }
  std::stop_token token() const { return source_.get_token(); }

 private:
  std::stop_source source_;
};

}  // namespace stagedoor::engines
