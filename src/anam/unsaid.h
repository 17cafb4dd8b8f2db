// Messages on their way to a channel that may not be there yet, or be full: sent in their order, as
// far as it takes them.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace stagedoor::anam {

class Unsaid {
 public:
  // `malformed`: the channel will never take this one. Any other refusal: not now.
  using Send = std::function<base::Result<base::Done>(std::string_view)>;
  Unsaid(std::size_t messages_max, Send send)
      : messages_max_(messages_max), send_(std::move(send)) {}

  // Both give how many messages had to be left out: for good refused, or too many waiting.
  std::size_t say(std::string message);
  // What waits is tried again.
  std::size_t go_on();

  std::size_t size() const { return waiting_.size(); }

 private:
  const std::size_t messages_max_;
  Send send_;
  std::vector<std::string> waiting_;
};

}  // namespace stagedoor::anam
