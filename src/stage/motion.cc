// SPDX-License-Identifier: Apache-2.0

#include "stage/motion.h"

#include <algorithm>

#include "stage/ear.h"
#include "stage/idle_life.h"
#include "stage/mouth.h"
#include "stage/mouth_network.h"

namespace stagedoor::stage {
namespace {

constexpr std::size_t mouth_frames_per_face = 4;

}  // namespace

struct Motion::State {
  State(int rate, std::uint64_t seed) : rate_hz(rate), ear(rate), life(seed) {}

  // Runs what the ear has heard through to faces, but to no more than `limit` of them.
  void perform(std::uint64_t limit, std::vector<Face>& out);

  int rate_hz;
  std::uint64_t samples = 0;
  std::uint64_t faces = 0;
  std::uint64_t mouth_frames = 0;
  bool finished = false;
  Ear ear;
  MouthNetwork network;
  Mouth mouth;
  IdleLife life;
  std::vector<Sound> sounds;  // Kept for its memory.
};

void Motion::State::perform(std::uint64_t limit, std::vector<Face>& out) {
  for (const Sound& sound : sounds) {
    if (!network.push(sound) || !mouth.push(network.heard())) continue;
    if (mouth_frames++ % mouth_frames_per_face != 0 || faces >= limit) continue;
    Face face;
    mouth.write(face);
    life.write(mouth.stress(), face);
    out.push_back(face);
    ++faces;
  }
  sounds.clear();
}

Motion::Motion(int rate_hz, std::uint64_t seed)
    : state_(std::make_unique<State>(std::clamp(rate_hz, 8000, 48000), seed)) {}
Motion::Motion(Motion&&) noexcept = default;
Motion& Motion::operator=(Motion&&) noexcept = default;
Motion::~Motion() = default;

void Motion::push(std::span<const std::int16_t> samples, std::vector<Face>& out) {
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

void Motion::finish(std::vector<Face>& out) {
  State& state = *state_;
  state.finished = true;
  const std::uint64_t all = state.samples * frames_per_second / state.rate_hz;
  while (state.faces < all) {
    state.ear.push_silence(hop_samples, state.sounds);
    state.perform(all, out);
  }
}

std::size_t Motion::frames() const {
  return state_->faces;
}

std::size_t Motion::held_bytes() const {
  return sizeof(State) + state_->ear.held_bytes() + state_->sounds.capacity() * sizeof(Sound);
}

}  // namespace stagedoor::stage
