// Speech recognition that tries one engine after another.
//
// Rule recognition-falls-back: where an engine fails to understand an utterance, the next one that
// knows its language gets the same sound, and the client is told that another has listened. That
// no words were said is no failure.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <memory>
#include <string>
#include <vector>

#include "stage/fallback_attempt.h"
#include "stage/listening.h"

namespace stagedoor::stage {

// Keeps the sound of an utterance until it is over, and hands it on whole.
//
// Safe for concurrent use.
class FallbackRecognizer : public Recognizer {
 public:
  // In the order of trying; each must live longer.
  explicit FallbackRecognizer(std::vector<Recognizer*> engines, EngineFailed failed = {});

  std::unique_ptr<Recognition> listen(std::string language, RecognitionSink sink) override;
  bool understands(const std::string& language) const override;

 private:
  const std::vector<Recognizer*> engines_;
  const EngineFailed failed_;
};

}  // namespace stagedoor::stage
