// Speech recognition by any endpoint that speaks OpenAI's POST /v1/audio/transcriptions: the
// utterance goes there as a WAV file when it is over.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "base/secret.h"
#include "engines/web_calls.h"
#include "stage/listening.h"

namespace stagedoor::engines {

// Safe for concurrent use.
class WebRecognizer : public stage::Recognizer {
 public:
  struct Options {
    std::string url;    // of the endpoint, whole: https://host/v1/audio/transcriptions
    base::Secret key;   // empty: none is sent
    std::string model;  // "model" of the request
    std::chrono::milliseconds timeout{15'000};
    PrivateAddresses private_addresses = PrivateAddresses::refused;
  };
  // `calls` must live longer.
  WebRecognizer(Options options, WebCalls& calls);
  ~WebRecognizer() override;

  std::unique_ptr<stage::Recognition> listen(std::string language,
                                             stage::RecognitionSink sink) override;
  bool understands(const std::string& language) const override;

 private:
  const Options options_;
  WebCalls& calls_;
};

}  // namespace stagedoor::engines
