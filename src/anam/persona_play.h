// From what a persona is (rules/persona.h) to how it is played: the settings of a conversation and
// the size of its picture.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "anam/session_messages.h"
#include "base/json.h"
#include "base/result.h"
#include "rules/picture_size.h"
#include "rules/session_report.h"
#include "stage/conversation.h"

namespace stagedoor::anam {

// What a client asks for and does not get; it is told of each once a session.
enum class Unsupported : unsigned char {
  director_notes,
  director_cues,
  speech_enhancement,
  voice_generation,
  video_quality,
  session_replay,
  longer_silence,
};
inline constexpr std::size_t unsupported_count = 7;
std::string_view words_of(Unsupported what);

struct PersonaPlay {
  stage::ConversationSettings conversation;
  rules::PictureSize size;
  std::string character;                 // who is seen
  std::string language_model_id;         // empty: nobody's in particular
  std::shared_ptr<stage::Chat> chat;     // of a model that the workspace brings; null: the server's
  std::vector<Unsupported> unsupported;  // of what the persona asks for
  bool has_silence_rule = false;  // says after which silence a session ends, or that none does
  rules::SessionFacts facts;      // for the session's report
};

// Which engine's voice and model the ids of this dialect mean; empty: the engine's default.
struct EngineNames {
  std::function<std::string(std::string_view voice_id)> voice;
  std::function<std::string(std::string_view llm_id)> model;
};

// `snapshot` is what was kept when the token was minted (rules/persona.h, snapshot_of).
// `unavailable`: it is not what we wrote. `unsupported`: a picture size that there is none of.
base::Result<PersonaPlay> play_of(std::string_view snapshot, const EngineNames& names);

struct PersonaChange {
  stage::ConversationUpdate conversation;
  std::vector<Unsupported> unsupported;
};
// A change of a persona while it plays (contract 3.7, `persona_config`): JSON that obeys
// rules::played_change_shape.
PersonaChange change_of(std::string_view update);

// What has become other of what a client can change.
std::vector<ChangedField> changed_fields(const stage::ConversationSettings& before,
                                         const stage::ConversationSettings& after);

// What a client may ask of the silence that ends its session (rule face-idle): to shorten `held`;
// 0: none holds. What would lengthen or lift it is taken out of `change`, and true returned.
bool keep_silence(std::chrono::milliseconds held, stage::VoiceDetectionChange& change);

// What the client itself says of the user's voice: JSON that obeys
// rules::session_voice_detection_shape, or empty. It comes before what the token was minted for,
// but for the silence that ends a session.
void prefer(std::string_view voice_detection, PersonaPlay& play);

}  // namespace stagedoor::anam
