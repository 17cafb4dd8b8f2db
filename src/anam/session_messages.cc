#include "anam/session_messages.h"

#include <algorithm>
#include <array>

#include "anam/json_members.h"
#include "anam/signalling_messages.h"
#include "base/iso_time.h"
#include "base/json.h"
#include "base/json_shape.h"
#include "base/json_writer.h"
#include "rules/persona_shape.h"

namespace stagedoor::anam {
namespace {

using base::ErrorCode;
using base::Json;
using Read = base::Result<SessionMessage> (*)(const Json& message);

std::unexpected<base::Error> refuse(std::string_view type, std::string hint) {
  return base::fail(ErrorCode::malformed, "session message " + std::string(type), std::move(hint));
}

base::Result<std::string> content_of(const Json& message, std::string_view type) {
  const auto content = message.member("content");
  const auto text = content ? content->text() : std::nullopt;
  if (!text || text->empty()) return refuse(type, "content must be a text that is not empty");
  if (base::character_count(*text) > talk_characters_max)
    return refuse(type, "content is longer than 20000 characters");
  return std::string(*text);
}

base::Result<SessionMessage> read_speech(const Json& message) {
  auto content = content_of(message, "speech");
  if (!content) return base::fail(content.error());
  return UserSpeech{*std::move(content)};
}

base::Result<SessionMessage> read_context(const Json& message) {
  auto content = content_of(message, "context");
  if (!content) return base::fail(content.error());
  return ContextNote{*std::move(content)};
}

base::Result<SessionMessage> read_cue(const Json& message) {
  constexpr std::array<std::string_view, 11> tags = {
      "happy", "warm",      "playful", "laughter",  "curious",   "supportive",
      "sad",   "concerned", "angry",   "surprised", "distressed"};
  const auto cue = message.member("cue");
  auto tag = cue ? text_of(*cue, "tag") : std::string();
  if (std::ranges::find(tags, tag) == tags.end())
    return refuse("director_note_cue", "cue.tag is not one of the tags that there are");
  return DirectorCue{std::move(tag)};
}

// Wrong in one member, it is refused as a whole.
base::Result<SessionMessage> read_update(const Json& message) {
  constexpr std::string_view type = "persona_config";
  const auto data = message.member("data");
  if (!data || !data->is_object()) return refuse(type, "persona_config: data must be an object");
  rules::Faults faults;
  auto change = rules::played_change_shape().read(*data, "", faults);
  if (faults.empty()) return PersonaUpdate{std::move(change)};
  const auto& first = faults.front();
  return refuse(type, "persona_config: " + first.path + ' ' + first.message);
}

base::Result<SessionMessage> read_tool_result(const Json& message) {
  ToolResult read{.tool_call_id = text_of(message, "tool_call_id"), .result = {}};
  if (read.tool_call_id.empty() || read.tool_call_id.size() > correlation_characters_max)
    return refuse("tool_result", "tool_call_id must be a text");
  const auto error = message.member("error");
  read.failed = error && !error->is_null();
  const auto value = read.failed ? error : message.member("result");
  if (value && value->text()) {
    read.result = *value->text();
  } else if (value) {
    base::append_canonical(read.result, *value);
  }
  return read;
}

struct Type {
  std::string_view name;
  Read read;
};
constexpr std::array<Type, 6> types = {{
    {"speech", &read_speech},
    {"interrupt", [](const Json&) -> base::Result<SessionMessage> { return Interrupt{}; }},
    {"context", &read_context},
    {"director_note_cue", &read_cue},
    {"persona_config", &read_update},
    {"tool_result", &read_tool_result},
}};

std::string message(std::string_view type, std::string_view data) {
  std::string out;
  base::JsonWriter writer(out);
  writer.text("messageType", type).json("data", data);
  writer.end();
  return out;
}

}  // namespace

base::Result<SessionMessage> read_session_message(std::string_view text) {
  thread_local base::JsonReader reader;
  const auto json = reader.read(text);
  if (!json) return base::fail(json.error());
  if (!json->is_object()) return refuse("", "a message is a JSON object");
  const auto* const type = std::ranges::find(types, text_of(*json, "message_type"), &Type::name);
  if (type == types.end()) return NothingToDo{};
  return type->read(*json);
}

std::string speech_text_message(const SpeechText& piece, base::Instant now) {
  std::string data;
  base::JsonWriter writer(data);
  writer.text("message_id", piece.message_id)
      .number("content_index", piece.content_index)
      .text("content", piece.content)
      .text("role", piece.role)
      .json("end_of_speech", piece.ends ? "true" : "false")
      .json("interrupted", piece.interrupted ? "true" : "false");
  if (!piece.utterance_id.empty()) writer.text("utterance_id", piece.utterance_id);
  if (!piece.correlation_id.empty())
    writer.text("user_action_correlation_id", piece.correlation_id)
        .text("correlationId", piece.correlation_id);
  writer.text("timestamp", base::iso_time(now));
  writer.end();
  return message("speechText", data);
}

std::string reasoning_text_message(std::string_view message_id, int content_index,
                                   std::string_view content, bool ends) {
  std::string data;
  base::JsonWriter writer(data);
  writer.text("message_id", message_id)
      .number("content_index", content_index)
      .text("content", content)
      .text("role", "persona")
      .json("end_of_thought", ends ? "true" : "false");
  writer.end();
  return message("reasoningText", data);
}

std::string user_speech_message(UserSpeechState state, std::string_view correlation_id) {
  std::string data;
  base::JsonWriter writer(data);
  writer.text("user_action_correlation_id", correlation_id);
  writer.end();
  return message(state == UserSpeechState::started ? "userSpeechStarted" : "userSpeechEnded", data);
}

std::string persona_changed_message(std::string_view session_id,
                                    std::span<const ChangedField> fields) {
  std::string data;
  base::JsonWriter writer(data);
  writer.text("session_id", session_id);
  base::JsonWriter changed(writer.begin("changed_fields"));
  for (const auto& field : fields) {
    base::JsonWriter values(changed.begin(field.path));
    values.json("before", field.before).json("after", field.after).end();
  }
  changed.end();
  writer.end();
  return message("personaConfigUpdateApplied", data);
}

std::string tool_call_message(ToolCallState state, const ToolCall& call, base::Instant now) {
  constexpr std::array<std::string_view, 3> types_of_states = {
      "toolCallStarted", "toolCallCompleted", "toolCallFailed"};
  std::string data;
  base::JsonWriter writer(data);
  writer.text("event_uid", call.event_id)
      .text("session_id", call.session_id)
      .text("tool_call_id", call.tool_call_id)
      .text("tool_name", call.name)
      .text("tool_type", call.type);
  if (!call.subtype.empty()) writer.text("tool_subtype", call.subtype);
  writer.json("arguments", call.arguments.empty() ? "{}" : call.arguments)
      .text("timestamp", base::iso_time(now))
      .text("timestamp_user_action", base::iso_time(now))
      .text("user_action_correlation_id", call.correlation_id)
      .json("used_outside_engine", call.type == "client" ? "true" : "false");
  if (state == ToolCallState::completed) writer.text("result", call.result);
  if (state == ToolCallState::completed && call.subtype == knowledge_subtype)
    writer.texts("documents_accessed", call.documents);
  if (state == ToolCallState::failed) writer.text("error_message", call.error);
  writer.end();
  return message(types_of_states[static_cast<std::size_t>(state)], data);
}

}  // namespace stagedoor::anam
