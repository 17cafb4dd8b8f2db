// Any bytes as a message of the data channel: no crash; what is refused says why, and a change of
// the persona that is taken is within a persona's bounds.
#include <cstdlib>

#include "anam/persona_play.h"
#include "anam/session_messages.h"
#include "anam/signalling_messages.h"
#include "base/json_shape.h"
#include "base/text.h"
#include "rules/persona_shape.h"

namespace {

using namespace stagedoor;
using namespace std::chrono_literals;

void must(bool holds) {
  if (!holds) std::abort();
}

void check(const anam::PersonaUpdate& update) {
  // Reading its own canonical form again must change nothing.
  base::JsonReader reader;
  const auto json = reader.read(update.change);
  must(json.has_value());
  rules::Faults faults;
  must(rules::played_change_shape().read(*json, "", faults) == update.change && faults.empty());
  const auto change = anam::change_of(update.change).conversation;
  must(change.speed.value_or(1) >= 0.5 && change.speed.value_or(1) <= 2);
  stage::VoiceDetection detection;
  apply(change.voice_detection, detection);
  must(detection.end_of_speech_sensitivity >= 0 && detection.end_of_speech_sensitivity <= 1);
  must(detection.silence_before_auto_end_turn >= 500ms &&
       detection.silence_before_auto_end_turn <= 10s);
  must(detection.silence_before_skip_turn >= 0ms && detection.silence_before_skip_turn <= 900s);
  must(detection.silence_before_session_end >= 0ms &&
       detection.silence_before_session_end <= 7200s);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto read = anam::read_session_message(base::as_text({data, size}));
  if (!read) {
    must(!read.error().hint.empty());
    return 0;
  }
  if (const auto* update = std::get_if<anam::PersonaUpdate>(&*read)) check(*update);
  if (const auto* speech = std::get_if<anam::UserSpeech>(&*read))
    must(!speech->content.empty() &&
         base::character_count(speech->content) <= anam::talk_characters_max);
  if (const auto* result = std::get_if<anam::ToolResult>(&*read))
    must(!result->tool_call_id.empty() &&
         result->tool_call_id.size() <= anam::correlation_characters_max);
  return 0;
}
