// Speech that tries one engine after another.
//
// Rule speech-falls-back: where an engine fails before it has given sound, the next one that can
// speak the voice and language takes the same request; once sound has come, a failure is told, so
// that nothing is said twice.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "stage/fallback_attempt.h"
#include "stage/speech.h"

namespace stagedoor::stage {

// Safe for concurrent use.
class FallbackSpeech : public Speech {
 public:
  // In the order of trying; each must live longer. An engine that names a voice among its own comes
  // before those that would speak any. A voice that an engine has not, in a language that it has,
  // is spoken by that engine's default where no other engine has the voice.
  explicit FallbackSpeech(std::vector<Speech*> engines, EngineFailed failed = {});

  std::unique_ptr<Job> speak(SpeechRequest request, SpeechSink sink) override;
  bool can_speak(const std::string& voice, const std::string& language) const override;

 private:
  struct Engine {
    Speech* speech;
    std::set<std::string, std::less<>> voices;  // its own
  };
  std::vector<Engine> engines_;
  const EngineFailed failed_;
};

}  // namespace stagedoor::stage
