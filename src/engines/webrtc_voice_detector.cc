// SPDX-License-Identifier: Apache-2.0

#include "engines/webrtc_voice_detector.h"

#include <webrtc/modules/audio_processing/include/audio_processing.h>
#include <webrtc/modules/interface/module_common_types.h>

#include <algorithm>

namespace stagedoor::engines {

struct WebRtcVoiceDetector::State {
  std::unique_ptr<webrtc::AudioProcessing> processing{webrtc::AudioProcessing::Create()};
  webrtc::AudioFrame frame;
  // The loudest of late, as a mean square; forgets 30 dB a second.
  float loudest = 0;

  bool is_loud_enough(std::span<const std::int16_t, stage::voice_frame_samples> samples);
};

// The library goes on hearing a voice for up to 90 ms after it ended, so that even a beep of 20 ms
// lasts as long as a word; and what browsers clean a microphone's sound with lets a beep die away
// slowly. What is 20 dB below what was just heard is no part of it any more.
bool WebRtcVoiceDetector::State::is_loud_enough(
    std::span<const std::int16_t, stage::voice_frame_samples> samples) {
  constexpr float forgets = 0.933F, far_below = 0.01F;
  float sum = 0;
  for (const float sample : samples) sum += sample * sample;
  const float loudness = sum / static_cast<float>(samples.size());
  loudest = std::max(loudest * forgets, loudness);
  return loudness >= loudest * far_below;
}

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
  const bool is_loud_enough = state_->is_loud_enough(frame);
  if (state_->processing->ProcessStream(&held) != webrtc::AudioProcessing::kNoError) return false;
  return is_loud_enough && state_->processing->voice_detection()->stream_has_voice();
}

}  // namespace stagedoor::engines
