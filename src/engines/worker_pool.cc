// SPDX-License-Identifier: Apache-2.0

#include "engines/worker_pool.h"

#include <utility>

namespace stagedoor::engines {

WorkerPool::WorkerPool(std::size_t threads, std::size_t waiting_max) : waiting_max_(waiting_max) {
  for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { run(); });
}

WorkerPool::~WorkerPool() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
    waiting_ = {};
  }
  wake_.notify_all();
  for (auto& thread : threads_) thread.join();
}

bool WorkerPool::submit(Work work) {
  {
    const std::lock_guard lock(mutex_);
    if (is_stopping_ || waiting_.size() >= waiting_max_) return false;
    waiting_.push(std::move(work));
  }
  wake_.notify_one();
  return true;
}

void WorkerPool::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return is_stopping_ || !waiting_.empty(); });
    if (is_stopping_) return;
    auto work = std::move(waiting_.front());
    waiting_.pop();
    lock.unlock();
    work();
    work = nullptr;  // What it owns ends outside the lock.
    lock.lock();
  }
}

}  // namespace stagedoor::engines
