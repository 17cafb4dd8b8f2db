// SPDX-License-Identifier: Apache-2.0

#include "anam/unsaid.h"

#include <utility>

namespace stagedoor::anam {

std::size_t Unsaid::say(std::string message) {
  auto left_out = go_on();
  if (waiting_.size() >= messages_max_) return left_out + 1;
  waiting_.push_back(std::move(message));
  return left_out + (waiting_.size() == 1 ? go_on() : 0);
}

std::size_t Unsaid::go_on() {
  std::size_t done = 0, left_out = 0;
  for (; done < waiting_.size(); ++done) {
    const auto sent = send_(waiting_[done]);
    if (sent) continue;
    if (sent.error().code != base::ErrorCode::malformed) break;
    ++left_out;
  }
  waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(done));
  return left_out;
}

}  // namespace stagedoor::anam
