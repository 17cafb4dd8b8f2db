// Speech recognition by PocketSphinx, built in: English only, offline, on the processor.
//
// It is a recogniser of its time (2015): clear read speech near the microphone comes out mostly
// right, free speech, accents and noise often wrong. It is there so that everything works without a
// service; whoever needs to be understood sets an endpoint (engines/web_recognizer.h).
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

#include "base/result.h"
#include "stage/listening.h"

namespace stagedoor::engines {

// Safe for concurrent use. Each thread has a decoder of its own (about 100 MB); an utterance keeps
// one from its end until its text stands.
class PocketSphinxRecognizer : public stage::Recognizer {
 public:
  struct Options {
    // With en-us/ (sounds), en-us.lm.bin (language) and cmudict-en-us.dict (words) in it.
    std::string model_path = "/usr/share/pocketsphinx/model/en-us";
    std::size_t threads = 1;
    std::size_t waiting_max = 32;               // utterances
    std::chrono::milliseconds timeout{15'000};  // of one utterance, its wait included
  };
  // `unavailable` where the model can't be read.
  static base::Result<std::unique_ptr<PocketSphinxRecognizer>> open(Options options);
  ~PocketSphinxRecognizer() override;

  std::unique_ptr<stage::Recognition> listen(std::string language,
                                             stage::RecognitionSink sink) override;
  bool understands(const std::string& language) const override;

 private:
  class Workers;
  explicit PocketSphinxRecognizer(std::unique_ptr<Workers> workers);
  std::unique_ptr<Workers> workers_;
};

}  // namespace stagedoor::engines
