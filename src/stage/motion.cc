// SPDX-License-Identifier: Apache-2.0

#include "stage/motion.h"

#include <algorithm>

#include "stage/idle_life.h"
#include "stage/lip_motion.h"

namespace stagedoor::stage {

struct Motion::State {
  State(int rate, std::uint64_t seed) : lips(rate), life(seed) {}

  // Gives the lips' frames life and appends them.
  void perform(std::vector<Face>& out) {
    for (auto& frame : frames) {
      life.write(frame.stress, frame.face);
      out.push_back(frame.face);
    }
    frames.clear();
  }

  LipMotion lips;
  IdleLife life;
  std::vector<LipFrame> frames;  // Kept for its memory.
};

Motion::Motion(int rate_hz, std::uint64_t seed) : state_(std::make_unique<State>(rate_hz, seed)) {}
Motion::Motion(Motion&&) noexcept = default;
Motion& Motion::operator=(Motion&&) noexcept = default;
Motion::~Motion() = default;

void Motion::push(std::span<const std::int16_t> samples, std::vector<Face>& out) {
  constexpr std::size_t at_once = 4096;  // Bounds the memory kept, whatever the caller pushes.
  while (!samples.empty()) {
    const auto part = samples.first(std::min(samples.size(), at_once));
    state_->lips.push(part, state_->frames);
    state_->perform(out);
    samples = samples.subspan(part.size());
  }
}

void Motion::finish(std::vector<Face>& out) {
  state_->lips.finish(state_->frames);
  state_->perform(out);
}

std::size_t Motion::frames() const {
  return state_->lips.frames();
}

std::size_t Motion::held_bytes() const {
  return sizeof(State) + state_->lips.held_bytes() + state_->frames.capacity() * sizeof(LipFrame);
}

}  // namespace stagedoor::stage
