// Brings audio of any rate from 8000 to 48000 Hz to another one, 16 kHz unless told, sample by
// sample.
//
// A windowed sinc, tabled at 32 places between two input samples and interpolated between those.
// Positions are counted in whole numbers, so the output depends on the samples alone, never on how
// they were cut. It looks ahead eight samples of the slower of the two rates, 1.1 ms at most.
// Not safe for concurrent use.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace stagedoor::stage {

inline constexpr int hearing_rate_hz = 16000;

class Resampler {
 public:
  // Both rates are brought into 8000..48000 if they lie outside.
  explicit Resampler(int rate_hz, int to_hz = hearing_rate_hz);

  // Appends the samples (-1..1) that these complete. Sample k stands at k / to_hz seconds.
  void push(std::span<const std::int16_t> samples, std::vector<float>& out);

  // How many input samples it looks ahead: after as many zeros the output is whole.
  int samples_ahead() const { return half_taps_; }

  // Bytes held besides the object itself.
  std::size_t held_bytes() const;

 private:
  void take(float sample, std::vector<float>& out);
  float at(int phase, float share) const;

  int rate_hz_, to_hz_;
  int half_taps_;              // Taps on either side of the place asked for.
  std::vector<float> taps_;    // [phase][tap], one phase more than there are places.
  std::vector<float> recent_;  // The newest input twice over, so that a window is one stretch.
  int newest_ = 0;             // Where in recent_ the next sample goes.
  // Input samples still to come before the next output has all its taps, and where between two
  // input samples that output stands, in to_hz-ths.
  int wait_;
  int fraction_ = 0;
};

}  // namespace stagedoor::stage
