// The strength of 24 bands of hearing, 100 to 7000 Hz, in one window of 25 ms.
//
// Pure: the same window gives the same bands. Bands are mel-spaced triangles over the power
// spectrum; 0 dB is the power of a full-scale sine, and no band is under -100 dB.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <array>
#include <cstddef>
#include <span>

namespace stagedoor::stage {

inline constexpr std::size_t band_count = 24;
inline constexpr std::size_t window_samples = 400;  // 25 ms at 16 kHz

struct Spectrum {
  std::array<float, band_count> bands_db;
  float loudness_db;  // Of all bands together.
};

Spectrum spectrum_of(std::span<const float, window_samples> window);

}  // namespace stagedoor::stage
