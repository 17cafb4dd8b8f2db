// SPDX-License-Identifier: Apache-2.0

#include "stage/ear.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace stagedoor::stage {
namespace {

std::vector<std::int16_t> sine(int rate_hz, double hz, double amplitude, double seconds) {
  std::vector<std::int16_t> out(static_cast<std::size_t>(rate_hz * seconds));
  for (std::size_t i = 0; i < out.size(); ++i) {
    const double turns = hz * static_cast<double>(i) / rate_hz;
    out[i] = static_cast<std::int16_t>(amplitude * std::sin(2 * std::numbers::pi * turns));
  }
  return out;
}

std::vector<Sound> hear(const std::vector<std::int16_t>& samples, int rate_hz) {
  Ear ear(rate_hz);
  std::vector<Sound> sounds;
  ear.push(samples, sounds);
  return sounds;
}

TEST(Spectrum, AFullScaleSineHasNoDecibelsAndLightsTheBandsAroundItOnly) {
  std::array<float, window_samples> window;
  std::size_t before = 0;
  for (const double hz : {200.0, 700.0, 1500.0, 3000.0, 6000.0}) {
    for (std::size_t i = 0; i < window.size(); ++i) {
      const double turns = hz * static_cast<double>(i) / 16000;
      window[i] = static_cast<float>(std::sin(2 * std::numbers::pi * turns));
    }
    const Spectrum spectrum = spectrum_of(window);
    EXPECT_NEAR(spectrum.loudness_db, 0, 1.0) << hz;
    const auto& bands = spectrum.bands_db;
    const auto most = static_cast<std::size_t>(std::ranges::max_element(bands) - bands.begin());
    EXPECT_GE(most, before);
    before = most + 1;
    for (std::size_t i = 0; i < band_count; ++i) {
      if (i + 3 >= most && i <= most + 3) continue;
      EXPECT_LT(bands[i], -40) << hz << " Hz, band " << i;
    }
  }
}

TEST(Spectrum, SilenceIsAtTheFloorAndFinite) {
  const std::array<float, window_samples> window{};
  const Spectrum spectrum = spectrum_of(window);
  for (const float band : spectrum.bands_db) EXPECT_NEAR(band, -100, 0.01);
  EXPECT_NEAR(spectrum.loudness_db, -100, 0.01);
}

TEST(Ear, SoftAndLoudSoundAlikeOnceTheLevelIsFound) {
  const auto loud = hear(sine(16000, 600, 20000, 1), 16000);
  const auto soft = hear(sine(16000, 600, 632, 1), 16000);
  ASSERT_EQ(loud.size(), soft.size());
  for (std::size_t k = 10; k < loud.size(); ++k) {
    EXPECT_NEAR(loud[k].level_db - soft[k].level_db, 30, 0.5);
    EXPECT_NEAR(*std::ranges::max_element(loud[k].bands), *std::ranges::max_element(soft[k].bands),
                0.05);
  }
}

TEST(Ear, AFrameComesEveryTenMillisecondsAtMost54LateAtEveryRate) {
  for (int rate_hz = 8000; rate_hz <= 48000; rate_hz += 2500) {
    Ear ear(rate_hz);
    std::vector<Sound> sounds;
    const std::vector<std::int16_t> sample(1);
    for (int heard = 1; heard <= rate_hz; ++heard) {
      ear.push(sample, sounds);
      const double due = (heard * 1000.0 / rate_hz - 53.7) / 10;
      ASSERT_GE(static_cast<double>(sounds.size()), due) << rate_hz;
    }
    EXPECT_LE(sounds.size(), 100U);
  }
}

TEST(Ear, WhatIsFarUnderSpeechIsNotRaisedToIt) {
  for (const Sound& sound : hear(sine(16000, 600, 4, 1), 16000)) {
    EXPECT_FLOAT_EQ(sound.level_db, -48);
    EXPECT_LT(*std::ranges::max_element(sound.bands), 0);
  }
}

}  // namespace
}  // namespace stagedoor::stage
