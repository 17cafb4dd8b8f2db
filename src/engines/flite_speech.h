// English speech by flite, built in: times of words and phonemes, the first sound in well under
// 100 ms.
//
// flite 2.2 keeps state that threads share without a lock (its list of voices, reference counts in
// the features of a voice, the jump of its error handler), so one thread of the process at a time
// makes speech with it, request by request in the order of asking; that thread makes about 30
// times as much sound as it takes time.
//
// Why: docs/decisions/0010-speech-by-flite-and-espeak-ng.md
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

#include "engines/worker_pool.h"
#include "stage/speech.h"

namespace stagedoor::engines {

// Voices: slt, rms, awb and kal, all at 16 kHz. The silence before the first word is shortened to
// 40 ms. Safe for concurrent use.
class FliteSpeech : public stage::Speech {
 public:
  struct Options {
    std::string default_voice = "slt";
    std::size_t waiting_max = 256;              // requests
    std::chrono::milliseconds timeout{10'000};  // of one request, its wait included
  };
  explicit FliteSpeech(Options options);

  std::unique_ptr<stage::Job> speak(stage::SpeechRequest request, stage::SpeechSink sink) override;
  bool can_speak(const std::string& voice, const std::string& language) const override;
  std::vector<stage::SpeechVoice> voices() const override;

 private:
  const Options options_;
  WorkerPool pool_;
};

}  // namespace stagedoor::engines
