// What is said so far to what is said next, as it is thought of: what a live face needs of a
// language model.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <functional>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "base/result.h"
#include "stage/job.h"

namespace stagedoor::stage {

struct ChatToolCall {
  std::string id, name;
  std::string arguments;  // a JSON object
};

struct ChatMessage {
  enum class Role : unsigned char { system, user, persona, tool };
  Role role = Role::user;
  std::string text;
  std::vector<ChatToolCall> tool_calls;  // only of the persona
  std::string tool_call_id;              // only of a tool: the call that `text` answers
};

struct ChatTool {
  std::string name, description;
  std::string parameters;  // a JSON Schema object; empty: no parameters
};

struct ChatRequest {
  std::string model;  // the engine's own name of it; empty: the engine's default
  // Who speaks. The system prompt stands among the messages too; an engine that is no model reads
  // these instead.
  std::string persona_name, system_prompt, greeting;
  std::vector<ChatMessage> messages;
  std::vector<ChatTool> tools;
  bool is_unasked = false;       // The persona is to speak on its own.
  bool is_for_stand_in = false;  // Another engine was asked before, and failed.
};

struct ChatDelta {
  std::string text;
};
// What a model thinks and does not say.
struct ChatReasoning {
  std::string text;
};
// What follows comes from an engine that stands in for one that has failed.
struct ChatStandIn {};
struct ChatEnd {};

// Deltas, then whole tool calls, then ChatEnd or an Error, after which nothing more comes. Error:
// `unavailable` for trouble or time-out, `rate_limited` while too many requests wait, `malformed`
// for a request that the engine can't read.
using ChatEvent =
    std::variant<ChatDelta, ChatReasoning, ChatToolCall, ChatStandIn, ChatEnd, base::Error>;

// Called on any thread, one call at a time, also before `answer` has returned; must not block.
using ChatSink = std::function<void(ChatEvent)>;

// Safe for concurrent use. Never blocks its caller. Must live longer than its jobs.
class Chat {
 public:
  virtual ~Chat() = default;
  [[nodiscard]] virtual std::unique_ptr<Job> answer(ChatRequest request, ChatSink sink) = 0;
};

}  // namespace stagedoor::stage
