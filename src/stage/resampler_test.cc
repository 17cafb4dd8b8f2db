// SPDX-License-Identifier: Apache-2.0

#include "stage/resampler.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

namespace stagedoor::stage {
namespace {

std::vector<float> resampled_sine(int rate_hz, double hz) {
  std::vector<std::int16_t> samples(static_cast<std::size_t>(rate_hz) / 2);
  for (std::size_t i = 0; i < samples.size(); ++i) {
    samples[i] = static_cast<std::int16_t>(
        20000 * std::sin(2 * std::numbers::pi * hz * static_cast<double>(i) / rate_hz));
  }
  Resampler resampler(rate_hz);
  std::vector<float> out;
  resampler.push(samples, out);
  return out;
}

TEST(Resampler, ASineComesOutInItsPlaceAtItsHeightFromEveryRate) {
  for (const int rate_hz : {8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000}) {
    for (const double hz : {150.0, 1000.0, 2700.0}) {
      const auto out = resampled_sine(rate_hz, hz);
      for (std::size_t k = 100; k < out.size(); ++k) {
        const double turns = hz * static_cast<double>(k) / 16000;
        const double wanted = 20000 / 32768.0 * std::sin(2 * std::numbers::pi * turns);
        ASSERT_NEAR(out[k], wanted, 0.012) << rate_hz << " Hz, sine of " << hz;
      }
    }
  }
}

TEST(Resampler, WhatSixteenKilohertzCannotHoldIsAtLeast40DecibelsDown) {
  for (const int rate_hz : {24000, 32000, 44100, 48000}) {
    const auto out = resampled_sine(rate_hz, 11000);
    double power = 0;
    for (std::size_t k = 100; k < out.size(); ++k) power += out[k] * out[k];
    EXPECT_LT(std::sqrt(power / static_cast<double>(out.size())), 20000 / 32768.0 * 0.01 / 1.414);
  }
}

TEST(Resampler, ItHoldsBackAtMostAMillisecondAndATenth) {
  for (int rate_hz = 8000; rate_hz <= 48000; rate_hz += 777) {
    Resampler resampler(rate_hz);
    std::vector<float> out;
    const std::vector<std::int16_t> samples(static_cast<std::size_t>(rate_hz));
    resampler.push(samples, out);
    EXPECT_GE(out.size(), 16000U - 20) << rate_hz;
    EXPECT_LE(out.size(), 16000U) << rate_hz;
  }
}

}  // namespace
}  // namespace stagedoor::stage
