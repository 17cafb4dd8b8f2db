// Threads for what may wait: the disk, a password's hash, an answer from elsewhere. An event loop
// hands them a request and goes on; the answer comes back to it.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <queue>
#include <thread>
#include <vector>

#include "http/request.h"
#include "http/response.h"
#include "http/task.h"

namespace stagedoor::http {

// Safe for concurrent use.
class Workers {
 public:
  struct Options {
    std::size_t threads = 8;
    std::size_t waiting_max = 1024;
  };
  explicit Workers(Options options);
  ~Workers() { stop(); }
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  // False, and the job is gone, while too many wait or after `stop`.
  [[nodiscard]] bool submit(std::move_only_function<void()> job);

  // Finishes what is under way, gives up what waits, and takes nothing more.
  void stop();

 private:
  void work();

  const Options options_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::queue<std::move_only_function<void()>> waiting_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

// Runs `work` on a worker with a copy of the request, and fills `response` with what it answered.
// `work` must not be touched by anybody else meanwhile and must live as long as the workers. False:
// too many wait, and nothing was done.
using BlockingHandler = std::function<void(const Request&, Response&)>;
Task<bool> on_worker(Workers& workers, const BlockingHandler& work, const Request& request,
                     Response& response);
// The same for work that is made for this one request.
Task<bool> on_worker(Workers& workers, std::shared_ptr<const BlockingHandler> work,
                     const Request& request, Response& response);

}  // namespace stagedoor::http
