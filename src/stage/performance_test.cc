#include "stage/performance.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <vector>

#include "stage/motion.h"

namespace stagedoor::stage {
namespace {

using Kind = PerformanceEvent::Kind;

// A voice-like buzz, louder and softer five times a second.
std::vector<std::int16_t> buzz(int rate_hz, double seconds) {
  std::vector<std::int16_t> samples(static_cast<std::size_t>(rate_hz * seconds));
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const double second = static_cast<double>(i) / rate_hz;
    const double loud = 0.5 - 0.5 * std::cos(second * 2 * std::numbers::pi * 5);
    double value = 0;
    for (int k = 1; k <= 20; ++k) value += std::sin(second * 2 * std::numbers::pi * 120 * k) / k;
    samples[i] = static_cast<std::int16_t>(6000 * loud * value);
  }
  return samples;
}

struct Seen {
  std::vector<std::int16_t> sound;
  std::vector<Face> faces;
  std::vector<PerformanceEvent> events;
};

// That many slices of 40 ms.
Seen watch(Performance& performance, int slices) {
  Seen seen;
  for (int i = 0; i < 2 * slices; ++i) {
    std::array<std::int16_t, tick_samples> sound{};
    performance.next_sound(sound);
    seen.sound.insert(seen.sound.end(), sound.begin(), sound.end());
    for (const auto& event : performance.take_events()) seen.events.push_back(event);
    if (i % 2 == 1) seen.faces.push_back(performance.face());
  }
  return seen;
}

double loudness(std::span<const std::int16_t> sound) {
  double sum = 0;
  for (const auto sample : sound) sum += static_cast<double>(sample) * sample;
  return std::sqrt(sum / static_cast<double>(std::max<std::size_t>(sound.size(), 1)));
}

// Rule lips-by-the-samples.
TEST(Performance, EachFaceIsTheOneOfTheVerySoundBesideIt) {
  Performance performance({});
  const auto sound = buzz(performance_rate_hz, 2);
  const auto utterance = performance.open(performance_rate_hz);
  ASSERT_TRUE(performance.push(utterance, sound));
  performance.close(utterance);
  const auto seen = watch(performance, 55);
  std::vector<Face> expected;
  Motion motion(performance_rate_hz, 0);
  motion.push(sound, expected);
  motion.finish(expected);
  // All that was sent, sample by sample, and beside each 40 ms the face of that moment.
  EXPECT_TRUE(std::equal(sound.begin(), sound.end(), seen.sound.begin()));
  ASSERT_EQ(expected.size(), 50U);
  for (std::size_t i = 0; i < expected.size(); ++i) {
    for (const auto shape : {Shape::jawOpen, Shape::mouthPucker, Shape::mouthFunnel})
      EXPECT_EQ(seen.faces[i][shape], expected[i][shape]) << "face " << i;
  }
}

// Rule lips-by-the-samples.
TEST(Performance, SoundThatComesInSmallPiecesIsHeldBackUntilItsFacesAreKnown) {
  Performance performance({});
  const auto sound = buzz(16000, 2);
  const auto utterance = performance.open(16000);
  std::size_t given = 0;
  int first_tick = -1;
  for (int tick = 0; tick < 100; ++tick) {
    ASSERT_TRUE(performance.push(utterance, std::span(sound).subspan(given, 320)));
    given += 320;
    std::array<std::int16_t, tick_samples> out{};
    performance.next_sound(out);
    if (first_tick < 0 && loudness(out) > 0) first_tick = tick;
  }
  EXPECT_GE(first_tick, 9) << "200 ms of look-ahead";
  EXPECT_LE(first_tick, 14);
}

// Rule interruption-stops-sound.
TEST(Performance, AnInterruptionFadesForFiveMillisecondsAndTheMouthComesToRest) {
  Performance performance({});
  const auto utterance = performance.open(16000);
  ASSERT_TRUE(performance.push(utterance, buzz(16000, 4)));
  performance.close(utterance);
  const auto waiting = performance.open(16000);
  ASSERT_TRUE(performance.push(waiting, buzz(16000, 1)));
  auto seen = watch(performance, 27);
  EXPECT_GT(loudness(seen.sound), 100);
  const float open = seen.faces.back()[Shape::jawOpen];
  performance.interrupt();
  seen = watch(performance, 10);
  const std::span sound(seen.sound);
  EXPECT_EQ(loudness(sound.subspan(240)), 0) << "silence after 5 ms";
  EXPECT_THAT(seen.events, ::testing::IsEmpty());
  EXPECT_FALSE(performance.is_busy());
  EXPECT_FALSE(performance.push(waiting, buzz(16000, 1)));
  for (const auto shape : {Shape::jawOpen, Shape::mouthFunnel, Shape::mouthLowerDownLeft})
    EXPECT_LT(seen.faces[4][shape], 0.02F) << "rest within 200 ms, from " << open;
  for (std::size_t i = 1; i < seen.faces.size(); ++i)
    EXPECT_LT(std::abs(seen.faces[i].head_yaw - seen.faces[i - 1].head_yaw), 0.02F);
}

TEST(Performance, OneUtteranceFollowsTheOtherAndEachTellsHowFarItIs) {
  Performance performance({});
  for (int rate_hz : {8000, 24000, 44100}) {
    const auto utterance = performance.open(rate_hz);
    ASSERT_TRUE(performance.push(utterance, buzz(rate_hz, 1)));
    performance.close(utterance);
  }
  const auto seen = watch(performance, 80);
  std::vector<UtteranceId> began, ended;
  std::int64_t last = 0;
  for (const auto& event : seen.events) {
    if (event.kind == Kind::began) began.push_back(event.utterance);
    if (event.kind == Kind::ended) ended.push_back(event.utterance);
    if (event.kind == Kind::progressed && event.utterance == 3) {
      EXPECT_GT(event.played_samples, last);
      last = event.played_samples;
    }
  }
  EXPECT_THAT(began, ::testing::ElementsAre(1, 2, 3));
  EXPECT_EQ(began, ended);
  EXPECT_EQ(last, 44100);
  EXPECT_NEAR(loudness(std::span(seen.sound).first(48000)),
              loudness(std::span(seen.sound).subspan(96000, 48000)), 200);
}

TEST(Performance, AnUtteranceWithoutSoundBeginsAndEndsAtOnce) {
  Performance performance({});
  performance.close(performance.open(16000));
  const auto seen = watch(performance, 1);
  ASSERT_EQ(seen.events.size(), 2U);
  EXPECT_EQ(seen.events[0].kind, Kind::began);
  EXPECT_EQ(seen.events[1].kind, Kind::ended);
}

TEST(Performance, SoundThatIsLateIsBridgedBySilenceAndLosesNothing) {
  Performance performance({});
  const auto sound = buzz(performance_rate_hz, 2);
  const auto utterance = performance.open(performance_rate_hz);
  ASSERT_TRUE(performance.push(utterance, std::span(sound).first(48000)));
  auto seen = watch(performance, 40);
  ASSERT_TRUE(performance.push(utterance, std::span(sound).subspan(48000)));
  performance.close(utterance);
  const auto rest = watch(performance, 40);
  seen.sound.insert(seen.sound.end(), rest.sound.begin(), rest.sound.end());
  std::erase(seen.sound, 0);
  auto expected = sound;
  std::erase(expected, 0);
  EXPECT_EQ(seen.sound, expected);
}

// Rule performance-bounded.
TEST(Performance, WhatWaitsIsBoundedAndTheRefusedIsNotTaken) {
  Performance performance({.seed = 0, .queued_bytes_max = 1u << 20, .utterances_max = 3});
  const auto utterance = performance.open(16000);
  const auto sound = buzz(16000, 1);
  int taken = 0;
  while (taken < 1000 && performance.push(utterance, sound)) ++taken;
  EXPECT_EQ(taken, (1 << 20) / 32000);
  EXPECT_LT(performance.held_bytes(), 3u << 20);
  EXPECT_NE(performance.open(16000), 0U);
  EXPECT_NE(performance.open(16000), 0U);
  EXPECT_EQ(performance.open(16000), 0U);
  EXPECT_EQ(performance.queued(), std::chrono::seconds(taken));
}

TEST(Performance, AFaceLivesWithoutAnySound) {
  Performance performance({.seed = 7, .queued_bytes_max = 1, .utterances_max = 1});
  const auto seen = watch(performance, 250);
  const auto blinks = std::ranges::count_if(
      seen.faces, [](const Face& face) { return face[Shape::eyeBlinkLeft] > 0.8F; });
  EXPECT_GT(blinks, 2);
  EXPECT_EQ(loudness(seen.sound), 0);
}

}  // namespace
}  // namespace stagedoor::stage
