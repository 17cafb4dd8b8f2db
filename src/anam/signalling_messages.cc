#include "anam/signalling_messages.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "anam/json_members.h"
#include "base/json.h"
#include "base/json_shape.h"
#include "base/json_writer.h"
#include "base/text.h"

namespace stagedoor::anam {
namespace {

using base::ErrorCode;
using base::Json;
using Read = base::Result<SignallingMessage> (*)(const Json& payload);

std::unexpected<base::Error> refuse(std::string_view action, std::string hint) {
  return base::fail(ErrorCode::malformed, "signalling message " + std::string(action),
                    std::move(hint));
}

base::Result<SignallingMessage> read_offer(const Json& payload) {
  const auto description = payload.member("connectionDescription");
  if (!description || text_of(*description, "type") != "offer")
    return refuse("offer", "payload.connectionDescription must be an offer with type and sdp");
  auto sdp = text_of(*description, "sdp");
  if (sdp.empty()) return refuse("offer", "payload.connectionDescription.sdp must be a text");
  return Offer{.sdp = std::move(sdp)};
}

base::Result<SignallingMessage> read_talk_chunk(const Json& payload) {
  TalkChunk chunk{.content = text_of(payload, "content"),
                  .starts = flag_of(payload, "startOfSpeech"),
                  .ends = flag_of(payload, "endOfSpeech"),
                  .correlation_id = text_of(payload, "correlationId"),
                  .utterance_id = text_of(payload, "utteranceId")};
  if (base::character_count(chunk.content) > talk_characters_max)
    return refuse("talkstream", "payload.content is longer than 20000 characters");
  if (chunk.correlation_id.size() > correlation_characters_max ||
      chunk.utterance_id.size() > correlation_characters_max)
    return refuse("talkstream", "payload.correlationId is longer than 128 bytes");
  return chunk;
}

std::int16_t sample_at(std::string_view bytes, std::size_t at) {
  return static_cast<std::int16_t>(static_cast<unsigned char>(bytes[at]) |
                                   static_cast<unsigned char>(bytes[at + 1]) << 8);
}

base::Result<SignallingMessage> read_agent_sound(const Json& payload) {
  constexpr std::string_view action = "agentaudioinput";
  if (text_of(payload, "encoding") != "pcm_s16le")
    return refuse(action, "payload.encoding must be pcm_s16le");
  const auto rate = payload.member("sampleRate");
  const auto rate_hz = rate ? rate->integer().value_or(0) : 0;
  if (rate_hz < 8000 || rate_hz > 48000)
    return refuse(action, "payload.sampleRate must be from 8000 to 48000");
  const auto channels_given = payload.member("channels");
  const auto channels = channels_given ? channels_given->integer().value_or(0) : 1;
  if (channels != 1 && channels != 2) return refuse(action, "payload.channels must be 1 or 2");
  const auto bytes = base::from_base64(text_of(payload, "audioData"));
  const auto frame_bytes = static_cast<std::size_t>(channels) * 2;
  if (!bytes || bytes->size() % frame_bytes != 0)
    return refuse(action, "payload.audioData must be whole samples in base64");
  AgentSound sound{.samples = {}, .rate_hz = static_cast<int>(rate_hz)};
  sound.samples.reserve(bytes->size() / frame_bytes);
  for (std::size_t at = 0; at < bytes->size(); at += frame_bytes) {
    const int left = sample_at(*bytes, at);
    const int right = channels == 2 ? sample_at(*bytes, at + 2) : left;
    sound.samples.push_back(static_cast<std::int16_t>((left + right) / 2));
  }
  return sound;
}

struct Action {
  std::string_view name;
  Read read;
};
constexpr std::array<Action, 6> actions = {{
    {"offer", &read_offer},
    {"icecandidate", [](const Json&) -> base::Result<SignallingMessage> { return Candidate{}; }},
    {"heartbeat", [](const Json&) -> base::Result<SignallingMessage> { return Heartbeat{}; }},
    {"talkstream", &read_talk_chunk},
    {"agentaudioinput", &read_agent_sound},
    {"agentaudioinputend",
     [](const Json&) -> base::Result<SignallingMessage> { return AgentSoundEnd{}; }},
}};

std::string small_letters(std::string_view text) {
  std::string small(text.substr(0, 64));
  std::ranges::transform(small, small.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return small;
}

std::string message(std::string_view action, std::string_view session_id,
                    std::string_view payload_text) {
  std::string out;
  base::JsonWriter writer(out);
  writer.text("actionType", action).text("sessionId", session_id).text("payload", payload_text);
  writer.end();
  return out;
}

std::string object_message(std::string_view action, std::string_view session_id,
                           base::JsonName name, std::string_view value,
                           std::string_view type = {}) {
  std::string out;
  base::JsonWriter writer(out);
  writer.text("actionType", action).text("sessionId", session_id);
  base::JsonWriter payload(writer.begin("payload"));
  if (!type.empty()) payload.text("type", type);
  payload.text(name, value);
  payload.end();
  writer.end();
  return out;
}

}  // namespace

base::Result<SignallingMessage> read_signalling_message(std::string_view text) {
  thread_local base::JsonReader reader;
  const auto json = reader.read(text);
  if (!json) return base::fail(json.error());
  if (!json->is_object()) return refuse("", "a message is a JSON object");
  const auto name = small_letters(text_of(*json, "actionType"));
  if (name.empty()) return refuse("", "actionType must be a text");
  const auto* const action = std::ranges::find(actions, name, &Action::name);
  if (action == actions.end()) return UnknownAction{.name = name};
  const auto payload = json->member("payload");
  return action->read(payload ? *payload : *json);
}

std::string answer_message(std::string_view session_id, std::string_view sdp) {
  return object_message("answer", session_id, "sdp", sdp, "answer");
}

std::string session_ready_message(std::string_view session_id) {
  return message("sessionready", session_id, session_id);
}

std::string talk_interrupted_message(std::string_view session_id, std::string_view correlation_id) {
  return object_message("talkinputstreaminterrupted", session_id, "correlationId", correlation_id);
}

std::string warning_message(std::string_view session_id, std::string_view words) {
  return message("warning", session_id, words);
}

std::string end_session_message(std::string_view session_id, std::string_view reason) {
  return message("endsession", session_id, reason);
}

std::string heartbeat_message(std::string_view session_id) {
  return message("heartbeat", session_id, "");
}

}  // namespace stagedoor::anam
