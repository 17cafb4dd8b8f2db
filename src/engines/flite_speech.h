// English speech by flite, built in: times of words and phonemes, the first sound in a few
// milliseconds.
//
// flite 2.2 keeps state that threads share without a lock (its list of voices, reference counts in
// the features of a voice, the jump of its error handler), so one thread of the process makes all
// of its speech, sentence by sentence in the order of asking.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

#include "stage/speech.h"

namespace stagedoor::engines {

// Safe for concurrent use.
class FliteSpeech : public stage::Speech {
 public:
  struct Options {
    std::string default_voice = "slt";          // slt, rms, awb or kal
    std::size_t waiting_max = 256;              // requests
    std::chrono::milliseconds timeout{10'000};  // of one request, its wait included
  };
  explicit FliteSpeech(Options options);
  ~FliteSpeech() override;

  std::unique_ptr<stage::Job> speak(stage::SpeechRequest request, stage::SpeechSink sink) override;
  bool can_speak(const std::string& voice, const std::string& language) const override;

 private:
  const Options options_;
  class Worker;
  std::unique_ptr<Worker> worker_;
};

}  // namespace stagedoor::engines
