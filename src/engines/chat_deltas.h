// What a chat completion of OpenAI's form says, chunk by chunk or whole, as events of stage/chat.h.
//
// Not safe for concurrent use.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "stage/chat.h"

namespace stagedoor::engines {

class ChatDeltas {
 public:
  static constexpr std::size_t text_bytes_max = 64u << 10;  // of all text, and of arguments
  static constexpr std::size_t tool_calls_max = 16;

  // One chunk or one whole completion. Appends what it says. `malformed` for what is neither,
  // `unavailable` for an error that it tells of, or more than may be.
  base::Result<base::Done> read(std::string_view json, std::vector<stage::ChatEvent>& out);
  // All chunks are read: appends the tool calls.
  void finish(std::vector<stage::ChatEvent>& out);

 private:
  bool read_call(const base::Json& call, std::size_t position);

  base::JsonReader reader_;
  std::size_t text_bytes_ = 0;
  std::vector<stage::ChatToolCall> calls_;
};

}  // namespace stagedoor::engines
