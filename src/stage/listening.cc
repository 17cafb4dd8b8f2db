// SPDX-License-Identifier: Apache-2.0

#include "stage/listening.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace stagedoor::stage {
namespace {

constexpr int frame_millis = 10;
constexpr unsigned recent_mask = 0xff;
constexpr int onset_frames = 6;  // of the last 8
constexpr double patient_millis = 1400, middle_millis = 800, eager_millis = 200;

}  // namespace

VoiceActivity::VoiceActivity(Options options) {
  set(options);
}

void VoiceActivity::set(Options options) {
  const auto eager = std::clamp(options.end_of_speech_sensitivity, 0.0, 1.0);
  const auto millis = eager < 0.5 ? std::lerp(patient_millis, middle_millis, eager * 2)
                                  : std::lerp(middle_millis, eager_millis, (eager - 0.5) * 2);
  end_silence_ = std::min(std::chrono::milliseconds(std::lround(millis)), options.silence_max);
}

std::optional<VoiceActivity::Change> VoiceActivity::push(bool is_voice) {
  recent_ = (recent_ << 1 | (is_voice ? 1U : 0U)) & recent_mask;
  silent_frames_ = is_voice ? 0 : silent_frames_ + 1;
  if (!is_speaking_ && std::popcount(recent_) >= onset_frames) {
    is_speaking_ = true;
    return Change::begun;
  }
  if (is_speaking_ && silent_frames_ * frame_millis >= end_silence_.count()) {
    is_speaking_ = false;
    recent_ = 0;
    return Change::ended;
  }
  return std::nullopt;
}

}  // namespace stagedoor::stage
