// Whether 10 ms of sound hold a voice, by the detector of the WebRTC project.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <memory>

#include "stage/listening.h"

namespace stagedoor::engines {

// Not safe for concurrent use.
class WebRtcVoiceDetector : public stage::VoiceDetector {
 public:
  WebRtcVoiceDetector();
  ~WebRtcVoiceDetector() override;
  bool hears_voice(std::span<const std::int16_t, stage::voice_frame_samples> frame) override;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace stagedoor::engines
