// SPDX-License-Identifier: Apache-2.0

#include "server/speak_sound.h"

#include <gtest/gtest.h>
#include <sndfile.h>

#include <array>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <numbers>

namespace stagedoor::server {
namespace {

using Samples = std::vector<std::int16_t>;

Samples tone(int rate_hz, double frequency_hz, std::size_t count) {
  Samples samples(count);
  for (std::size_t i = 0; i < count; ++i) {
    samples[i] = static_cast<std::int16_t>(std::lround(
        16000 * std::sin(2 * std::numbers::pi * frequency_hz * static_cast<double>(i) / rate_hz)));
  }
  return samples;
}
// Largest difference, edges left out, where the window reaches over the end of the sound.
int difference(const Samples& a, const Samples& b) {
  int most = 0;
  for (std::size_t i = 400; i + 400 < std::min(a.size(), b.size()); ++i) {
    most = std::max(most, std::abs(a[i] - b[i]));
  }
  return most;
}

// A folder that goes away with the test.
class Folder {
 public:
  Folder() {
    std::string pattern = std::filesystem::temp_directory_path() / "stagedoor-XXXXXX";
    path_ = mkdtemp(pattern.data());
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  std::string operator/(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

void write_wav(const std::string& path, int rate_hz, int channels, const Samples& interleaved) {
  SF_INFO info{};
  info.samplerate = rate_hz;
  info.channels = channels;
  info.format = SF_FORMAT_WAV | SF_FORMAT_PCM_16;
  SNDFILE* file = sf_open(path.c_str(), SFM_WRITE, &info);
  ASSERT_NE(file, nullptr);
  sf_write_short(file, interleaved.data(), static_cast<sf_count_t>(interleaved.size()));
  sf_close(file);
}

TEST(SpeakSound, AMonoFileComesOutSampleBySample) {
  const Folder folder;
  const Samples samples = {0, 1, -1, 32767, -32768, 1234, -4321};
  write_wav(folder / "a.wav", 22050, 1, samples);
  const auto sound = read_sound(folder / "a.wav");
  ASSERT_TRUE(sound);
  EXPECT_EQ(sound->rate_hz, 22050);
  EXPECT_EQ(sound->samples, samples);
}

TEST(SpeakSound, ChannelsAreMixedToTheirMean) {
  const Folder folder;
  write_wav(folder / "a.wav", 16000, 3, {300, 600, 900, -30000, -30000, -30000});
  const auto sound = read_sound(folder / "a.wav");
  ASSERT_TRUE(sound);
  EXPECT_EQ(sound->samples, (Samples{600, -30000}));
}

TEST(SpeakSound, WhatIsNoSoundFileIsRefusedByName) {
  const Folder folder;
  std::ofstream(folder / "notes.txt") << "no sound at all, only words";
  write_wav(folder / "empty.wav", 16000, 1, {});
  for (const auto& path : {folder / "notes.txt", folder / "absent.wav", folder / "empty.wav"}) {
    const auto sound = read_sound(path);
    ASSERT_FALSE(sound) << path;
    EXPECT_EQ(sound.error().code, base::ErrorCode::malformed);
    EXPECT_NE(sound.error().hint.find(path), std::string::npos);
  }
}

TEST(SpeakSound, ARateThatTheServerKnowsLeavesTheSamplesAlone) {
  constexpr std::array rates_hz = {8000, 16000, 48000};
  const auto samples = tone(16000, 440, 1000);
  const auto sound = at_rate_of({.rate_hz = 16000, .samples = samples}, rates_hz);
  EXPECT_EQ(sound.rate_hz, 16000);
  EXPECT_EQ(sound.samples, samples);
}

TEST(SpeakSound, AnotherRateGoesUpToTheNextAndOnlyDownFromTheHighest) {
  constexpr std::array rates_hz = {8000, 16000, 48000};
  const auto to_hz = [&](int from_hz) {
    return at_rate_of({.rate_hz = from_hz, .samples = Samples(100)}, rates_hz).rate_hz;
  };
  EXPECT_EQ(to_hz(6000), 8000);
  EXPECT_EQ(to_hz(11025), 16000);
  EXPECT_EQ(to_hz(44100), 48000);
  EXPECT_EQ(to_hz(96000), 48000);
}

TEST(SpeakSound, AToneKeepsItsPitchStrengthAndPlaceThroughAChangeOfRate) {
  for (const auto& [from_hz, to_hz] :
       {std::pair{11025, 16000}, {44100, 48000}, {96000, 48000}, {48000, 44100}}) {
    // 0.8 of the lower Nyquist frequency: within a tenth of a decibel (1.2 percent of 16000).
    for (const double frequency_hz : {200.0, 0.8 * std::min(from_hz, to_hz) / 2}) {
      const auto from = tone(from_hz, frequency_hz, static_cast<std::size_t>(from_hz / 2));
      const auto to = resampled(from, from_hz, to_hz);
      EXPECT_EQ(to.size(), from.size() * static_cast<std::size_t>(to_hz) / from_hz);
      EXPECT_LT(difference(to, tone(to_hz, frequency_hz, to.size())), 190)
          << from_hz << " to " << to_hz << " at " << frequency_hz;
    }
  }
}

TEST(SpeakSound, WhatTheLowerRateCannotHoldIsGoneAndDoesNotFoldBack) {
  const auto loud = resampled(tone(48000, 9000, 24000), 48000, 16000);
  EXPECT_LT(difference(loud, Samples(loud.size())), 16);  // 60 dB down
}

}  // namespace
}  // namespace stagedoor::server
