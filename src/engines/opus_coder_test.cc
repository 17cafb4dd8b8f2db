// SPDX-License-Identifier: Apache-2.0

#include "engines/opus_coder.h"

#include <gtest/gtest.h>

#include <cmath>

namespace stagedoor::engines {
namespace {

using Samples = std::vector<std::int16_t>;

Samples tone(double hertz, std::size_t packets) {
  Samples out(packets * stage::packet_samples);
  for (std::size_t i = 0; i < out.size(); ++i)
    out[i] = static_cast<std::int16_t>(
        8000 * std::sin(2 * M_PI * hertz * static_cast<double>(i) / stage::opus_clock_hz));
  return out;
}

std::vector<std::vector<std::uint8_t>> packets_of(const Samples& samples) {
  auto encoder = *make_opus_encoder();
  encoder->set_loss(0.2F);
  std::vector<std::vector<std::uint8_t>> packets;
  for (std::size_t at = 0; at + stage::packet_samples <= samples.size();
       at += stage::packet_samples) {
    const auto packet = encoder->packet(
        std::span<const std::int16_t, stage::packet_samples>(&samples[at], &samples[at] + 960));
    EXPECT_FALSE(packet.empty());
    packets.emplace_back(packet.begin(), packet.end());
  }
  return packets;
}

double loudness(std::span<const std::int16_t> samples) {
  double squares = 0;
  for (const auto sample : samples) squares += static_cast<double>(sample) * sample;
  return std::sqrt(squares / static_cast<double>(std::max<std::size_t>(samples.size(), 1)));
}

TEST(OpusCoder, WhatGoesInComesOutAtEitherRateAtThirtyTwoKilobits) {
  const auto packets = packets_of(tone(300, 50));
  std::size_t bytes = 0;
  for (const auto& packet : packets) bytes += packet.size();
  EXPECT_LT(bytes, 50u * 120);
  for (const int rate_hz : {48'000, 16'000}) {
    auto decoder = *make_opus_decoder(rate_hz);
    Samples out;
    std::uint16_t sequence = 65'520;  // The count wraps on the way.
    for (const auto& packet : packets) ASSERT_TRUE(decoder->push(sequence++, packet, out));
    ASSERT_EQ(out.size(), static_cast<std::size_t>(rate_hz));
    const auto last_half = std::span(out).subspan(out.size() / 2);
    EXPECT_NEAR(loudness(last_half), 8000 / std::sqrt(2.0), 900);
    int crossings = 0;
    for (std::size_t i = 1; i < last_half.size(); ++i)
      crossings += (last_half[i - 1] < 0) != (last_half[i] < 0);
    EXPECT_NEAR(crossings, 300, 12);
  }
}

TEST(OpusCoder, MissingPacketsAreMadeUpUntilTwoHundredMilliseconds) {
  const auto packets = packets_of(tone(300, 60));
  for (const auto& [missing, made_up] : {std::pair(1, 1), {3, 3}, {10, 10}, {30, 10}}) {
    auto decoder = *make_opus_decoder(48'000);
    Samples out;
    for (std::uint16_t i = 0; i < 20; ++i) ASSERT_TRUE(decoder->push(i, packets[i], out));
    const auto before = out.size();
    const auto next = static_cast<std::uint16_t>(20 + missing);
    ASSERT_TRUE(decoder->push(next, packets[next], out));
    EXPECT_EQ(out.size() - before, static_cast<std::size_t>(made_up + 1) * stage::packet_samples);
    if (missing == 1) {
      EXPECT_GT(loudness(std::span(out).subspan(before, 960)), 2000);
    }
  }
}

TEST(OpusCoder, LateAndDoublePacketsGiveNothing) {
  const auto packets = packets_of(tone(300, 10));
  auto decoder = *make_opus_decoder(16'000);
  Samples out;
  for (const int sequence : {100, 102, 101, 102, 100, 3})
    ASSERT_TRUE(decoder->push(static_cast<std::uint16_t>(sequence),
                              packets[static_cast<std::size_t>(sequence % 10)], out));
  EXPECT_EQ(out.size(), 3u * 320);
}

TEST(OpusCoder, ASenderThatBeginsAnewIsHeard) {
  const auto packets = packets_of(tone(300, 10));
  auto decoder = *make_opus_decoder(16'000);
  Samples out;
  for (const int sequence : {20'000, 20'001, 17, 18})
    ASSERT_TRUE(decoder->push(static_cast<std::uint16_t>(sequence),
                              packets[static_cast<std::size_t>(sequence % 10)], out));
  EXPECT_EQ(out.size(), 4u * 320);
}

TEST(OpusCoder, WhatIsNoPacketIsRefusedAndCountsAsMissing) {
  const auto packets = packets_of(tone(300, 10));
  auto decoder = *make_opus_decoder(48'000);
  Samples out;
  ASSERT_TRUE(decoder->push(0, packets[0], out));
  const std::vector<std::uint8_t> long_one(70'000, 0xfc), bad_count = {0x03, 0x00};
  for (const auto& wrong : {std::vector<std::uint8_t>{}, bad_count, long_one}) {
    const auto before = out.size();
    const auto refused = decoder->push(1, wrong, out);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, base::ErrorCode::malformed);
    EXPECT_EQ(out.size(), before);
  }
  ASSERT_TRUE(decoder->push(2, packets[2], out));
  EXPECT_EQ(out.size(), 3u * stage::packet_samples);
}

TEST(OpusCoder, IsMadeForTheRatesOfOpusOnly) {
  for (const int rate_hz : {8'000, 12'000, 16'000, 24'000, 48'000})
    EXPECT_TRUE(make_opus_decoder(rate_hz));
  for (const int rate_hz : {0, -1, 44'100}) {
    const auto refused = make_opus_decoder(rate_hz);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, base::ErrorCode::unsupported);
  }
}

}  // namespace
}  // namespace stagedoor::engines
