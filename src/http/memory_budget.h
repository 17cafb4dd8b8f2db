// Memory that many connections share: what one takes, another can't.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <atomic>
#include <cstddef>

namespace stagedoor::http {

// Safe for concurrent use.
class MemoryBudget {
 public:
  explicit MemoryBudget(std::size_t bytes_max) : left_(bytes_max) {}

  // False, and nothing taken, where so much is not left.
  [[nodiscard]] bool take(std::size_t bytes) {
    auto left = left_.load(std::memory_order_relaxed);
    while (left >= bytes)
      if (left_.compare_exchange_weak(left, left - bytes, std::memory_order_relaxed)) return true;
    return false;
  }
  void give_back(std::size_t bytes) { left_.fetch_add(bytes, std::memory_order_relaxed); }

 private:
  std::atomic<std::size_t> left_;
};

}  // namespace stagedoor::http
