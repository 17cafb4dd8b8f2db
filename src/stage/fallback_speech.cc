// SPDX-License-Identifier: Apache-2.0

#include "stage/fallback_speech.h"

#include <utility>

namespace stagedoor::stage {
FallbackSpeech::FallbackSpeech(std::vector<Speech*> engines, EngineFailed failed)
    : failed_(std::move(failed)) {
  for (auto* speech : engines) {
    auto& engine = engines_.emplace_back(speech);
    for (auto& voice : speech->voices()) engine.voices.insert(std::move(voice.name));
  }
}

bool FallbackSpeech::can_speak(const std::string& voice, const std::string& language) const {
  for (const auto& engine : engines_)
    if (engine.speech->can_speak(voice, language)) return true;
  return false;
}

std::unique_ptr<Job> FallbackSpeech::speak(SpeechRequest request, SpeechSink sink) {
  using Attempt = FallbackAttempt<SpeechEvent>;
  Attempt::Parts parts{
      .engines = {},
      .has_begun =
          [](const SpeechEvent& event) { return std::holds_alternative<SpeechChunk>(event); },
      .failed = failed_};
  const auto add = [&](Speech* speech, SpeechRequest wanted) {
    parts.engines.emplace_back([speech, wanted = std::move(wanted)](SpeechSink told) mutable {
      return speech->speak(std::move(wanted), std::move(told));
    });
  };
  for (const bool is_own : {true, false})
    for (const auto& [speech, voices] : engines_)
      if (voices.contains(request.voice) == is_own &&
          speech->can_speak(request.voice, request.language))
        add(speech, request);
  // Behind those that have the voice, those that have at least the language.
  for (const auto& [speech, voices] : engines_) {
    if (speech->can_speak(request.voice, request.language) ||
        !speech->can_speak({}, request.language))
      continue;
    auto unvoiced = request;
    unvoiced.voice.clear();
    add(speech, std::move(unvoiced));
  }
  if (parts.engines.empty()) {
    sink(base::Error{base::ErrorCode::unsupported, "no engine has this voice and language", {}});
    return std::make_unique<Job>();
  }
  return Attempt::start(std::move(parts), std::move(sink));
}

}  // namespace stagedoor::stage
