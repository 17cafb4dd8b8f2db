// SPDX-License-Identifier: Apache-2.0

#include "engines/webrtc_voice_detector.h"

#include <webrtc/modules/audio_processing/include/audio_processing.h>
#include <webrtc/modules/interface/module_common_types.h>

namespace stagedoor::engines {

struct WebRtcVoiceDetector::State {
  std::unique_ptr<webrtc::AudioProcessing> processing{webrtc::AudioProcessing::Create()};
  webrtc::AudioFrame frame;
};

// Version 0.3 of the library shows its detector only as a part of its audio processing; the rest
// stays off, but for what keeps rumble out. Its strictest setting: what interrupts a persona should
// be a voice.
WebRtcVoiceDetector::WebRtcVoiceDetector() : state_(std::make_unique<State>()) {
  auto& processing = *state_->processing;
  processing.high_pass_filter()->Enable(true);
  processing.voice_detection()->set_likelihood(webrtc::VoiceDetection::kVeryLowLikelihood);
  processing.voice_detection()->Enable(true);
}
WebRtcVoiceDetector::~WebRtcVoiceDetector() = default;

bool WebRtcVoiceDetector::hears_voice(
    std::span<const std::int16_t, stage::voice_frame_samples> frame) {
  auto& held = state_->frame;
  held.UpdateFrame(0, 0, frame.data(), frame.size(), stage::listening_rate_hz,
                   webrtc::AudioFrame::kNormalSpeech, webrtc::AudioFrame::kVadUnknown, 1);
  if (state_->processing->ProcessStream(&held) != webrtc::AudioProcessing::kNoError) return false;
  return state_->processing->voice_detection()->stream_has_voice();
}

}  // namespace stagedoor::engines
