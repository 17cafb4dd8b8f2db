// The mouth of one utterance, 25 times a second, as its audio comes: what stage/motion.h promises
// of the mouth, without the life of the rest of the face.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "stage/face.h"

namespace stagedoor::stage {

inline constexpr int frames_per_second = 25;

// Only the shapes of mouth and jaw are set. `stress` is what IdleLife wants.
struct LipFrame {
  Face face;
  float stress = 0;
};

// Not safe for concurrent use; moves, does not copy.
class LipMotion {
 public:
  // `rate_hz` is any rate from 8000 to 48000; one outside is taken as the nearer of the two.
  explicit LipMotion(int rate_hz);
  LipMotion(LipMotion&&) noexcept;
  LipMotion& operator=(LipMotion&&) noexcept;
  ~LipMotion();

  // Appends the frames that the samples complete. After finish() it does nothing.
  void push(std::span<const std::int16_t> samples, std::vector<LipFrame>& out);
  // Appends the rest of the utterance's frames, as if silence followed.
  void finish(std::vector<LipFrame>& out);

  // Frames given so far.
  std::size_t frames() const;
  std::size_t held_bytes() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace stagedoor::stage
