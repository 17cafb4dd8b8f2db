// SPDX-License-Identifier: Apache-2.0

#include "stage/lip_motion.h"

#include <algorithm>

#include "stage/ear.h"
#include "stage/mouth.h"
#include "stage/mouth_network.h"

namespace stagedoor::stage {
namespace {

constexpr std::size_t mouth_frames_per_face = 4;

}  // namespace

struct LipMotion::State {
  explicit State(int rate) : rate_hz(rate), ear(rate) {}

  // Runs what the ear has heard through to frames, but to no more than `limit` of them.
  void perform(std::uint64_t limit, std::vector<LipFrame>& out);

  int rate_hz;
  std::uint64_t samples = 0;
  std::uint64_t frames = 0;
  std::uint64_t mouth_frames = 0;
  bool finished = false;
  Ear ear;
  MouthNetwork network;
  Mouth mouth;
  std::vector<Sound> sounds;  // Kept for its memory.
};

void LipMotion::State::perform(std::uint64_t limit, std::vector<LipFrame>& out) {
  for (const Sound& sound : sounds) {
    if (!network.push(sound) || !mouth.push(network.heard())) continue;
    if (mouth_frames++ % mouth_frames_per_face != 0 || frames >= limit) continue;
    auto& frame = out.emplace_back();
    mouth.write(frame.face);
    frame.stress = mouth.stress();
    ++frames;
  }
  sounds.clear();
}

LipMotion::LipMotion(int rate_hz)
    : state_(std::make_unique<State>(std::clamp(rate_hz, 8000, 48000))) {}
LipMotion::LipMotion(LipMotion&&) noexcept = default;
LipMotion& LipMotion::operator=(LipMotion&&) noexcept = default;
LipMotion::~LipMotion() = default;

void LipMotion::push(std::span<const std::int16_t> samples, std::vector<LipFrame>& out) {
  State& state = *state_;
  if (state.finished) return;
  constexpr std::size_t at_once = 4096;  // Bounds the memory kept, whatever the caller pushes.
  while (!samples.empty()) {
    const auto part = samples.first(std::min(samples.size(), at_once));
    state.ear.push(part, state.sounds);
    state.samples += part.size();
    state.perform(state.samples * frames_per_second / state.rate_hz, out);
    samples = samples.subspan(part.size());
  }
}

void LipMotion::finish(std::vector<LipFrame>& out) {
  State& state = *state_;
  state.finished = true;
  const std::uint64_t all = state.samples * frames_per_second / state.rate_hz;
  while (state.frames < all) {
    state.ear.push_silence(hop_samples, state.sounds);
    state.perform(all, out);
  }
}

std::size_t LipMotion::frames() const {
  return state_->frames;
}

std::size_t LipMotion::held_bytes() const {
  return sizeof(State) + state_->ear.held_bytes() + state_->sounds.capacity() * sizeof(Sound);
}

}  // namespace stagedoor::stage
