// What of the audio the mouth goes by: every 10 ms, 24 bands relative to the utterance's own level.
//
// Frame k is centred on k * 10 ms. The level follows the loudest of the speech heard so far and
// forgets 5 dB a second, so a shout and a whisper give nearly the same frames. Under -48 dB there
// is no speech to follow: near silence stays silence. Level and window look ahead, together with
// the resampler, 53.6 ms at most. State is of one utterance. Not safe for concurrent use.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "stage/resampler.h"
#include "stage/spectrum.h"

namespace stagedoor::stage {

inline constexpr std::size_t hop_samples = 160;  // 10 ms at 16 kHz

struct Sound {
  std::array<float, band_count> bands;  // About -3..2, of use to a network
  float loudness_db = -100;             // Absolute
  float level_db = -48;                 // Of the speech around
};

class Ear {
 public:
  explicit Ear(int rate_hz);

  // Appends the frames that the samples complete.
  void push(std::span<const std::int16_t> samples, std::vector<Sound>& out);

  // The same for this many 16 kHz samples of silence: what follows the end of an utterance.
  void push_silence(std::size_t samples, std::vector<Sound>& out);

  std::size_t held_bytes() const;

 private:
  static constexpr std::size_t level_ahead = 4;  // frames

  void take(float sample, std::vector<Sound>& out);
  void analyse(std::vector<Sound>& out);

  Resampler resampler_;
  std::vector<float> resampled_;  // Kept for its memory.
  std::array<float, window_samples> window_{};
  std::size_t filled_ = window_samples / 2;  // The first window is centred on time 0.
  std::array<Spectrum, level_ahead + 1> waiting_{};
  std::size_t spectra_ = 0;
  float level_db_;
};

}  // namespace stagedoor::stage
