// The JSON messages of the data channel `session` (contract 3.7): the client's have `message_type`,
// ours `messageType` and `data`.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/json_writer.h"
#include "base/result.h"

namespace stagedoor::anam {

inline constexpr std::size_t session_message_bytes_max = 64u << 10;

struct UserSpeech {
  std::string content;
};
struct Interrupt {};
struct ContextNote {
  std::string content;
};
struct DirectorCue {
  std::string tag;
};
// What of the persona changes while it plays: JSON that obeys rules::played_change_shape.
struct PersonaUpdate {
  std::string change;
};
struct ToolResult {
  std::string tool_call_id;
  std::string result;  // text, or JSON
  bool failed = false;
};
// Statistics and what we don't know: the client expects nothing of it.
struct NothingToDo {};
using SessionMessage = std::variant<UserSpeech, Interrupt, ContextNote, DirectorCue, PersonaUpdate,
                                    ToolResult, NothingToDo>;

// `malformed`, with a hint.
base::Result<SessionMessage> read_session_message(std::string_view text);

// A piece of what the persona or the user said. Pieces of one message are joined by the client.
struct SpeechText {
  std::string_view message_id = {}, content = {}, role = {}, utterance_id = {}, correlation_id = {};
  int content_index = 0;
  bool ends = false, interrupted = false;
};
std::string speech_text_message(const SpeechText& piece, base::Instant now);

// What a model thinks and does not say.
std::string reasoning_text_message(std::string_view message_id, int content_index,
                                   std::string_view content, bool ends);

enum class UserSpeechState : unsigned char { started, ended };
std::string user_speech_message(UserSpeechState state, std::string_view correlation_id);

inline constexpr std::string_view knowledge_subtype = "knowledge";
struct ToolCall {
  std::string_view event_id = {}, session_id = {}, tool_call_id = {}, name = {}, type = {},
                   subtype = {}, correlation_id = {};
  std::string_view arguments = {};           // a JSON object
  std::string_view result = {}, error = {};  // of `completed` and `failed`
  std::vector<std::string> documents = {};   // of a search: whose passages the result holds
};
// What has changed of a persona while it plays.
struct ChangedField {
  base::JsonName path;        // in a persona, with dots
  std::string before, after;  // JSON
};
std::string persona_changed_message(std::string_view session_id,
                                    std::span<const ChangedField> fields);

enum class ToolCallState : unsigned char { started, completed, failed };
std::string tool_call_message(ToolCallState state, const ToolCall& call, base::Instant now);

}  // namespace stagedoor::anam
