// A recording as the Motion Server takes it: mono samples at one of its rates.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"

namespace stagedoor::server {

struct Sound {
  int rate_hz = 0;
  std::vector<std::int16_t> samples;  // mono

  double seconds() const { return static_cast<double>(samples.size()) / rate_hz; }
};

// Reads a sound file of any kind that libsndfile knows and mixes its channels to one. Refuses with
// `malformed`, in words for the user, what cannot be opened, holds no sound, or lasts over an hour.
base::Result<Sound> read_sound(const std::string& path);

// The sound at the lowest of `rates_hz` (ascending) that loses nothing of it, else at the highest.
// A rate that is already among them leaves every sample as it is.
Sound at_rate_of(Sound sound, std::span<const int> rates_hz);

// Band-limited change of rate by a windowed sinc: floor(samples * to / from) samples, in place in
// time, the passband flat to a tenth of a decibel up to 0.8 of the lower Nyquist frequency.
std::vector<std::int16_t> resampled(std::span<const std::int16_t> samples, int from_hz, int to_hz);

}  // namespace stagedoor::server
