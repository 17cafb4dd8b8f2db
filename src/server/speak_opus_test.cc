// SPDX-License-Identifier: Apache-2.0

#include "server/speak_opus.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "engines/opus_ogg.h"

namespace stagedoor::server {
namespace {

TEST(SpeakOpus, TheServersOwnReaderHearsEverySampleAgain) {
  for (const int rate_hz : stage::opus_rates_hz) {
    Sound sound{.rate_hz = rate_hz, .samples = {}};
    for (int i = 0; i < rate_hz * 7 / 10 + 13; ++i) {
      sound.samples.push_back(
          static_cast<std::int16_t>(9000 * std::sin(2 * std::numbers::pi * 220 * i / rate_hz)));
    }
    const auto pages = ogg_opus_pages(sound);
    ASSERT_TRUE(pages);
    EXPECT_GT(pages->size(), 36u);  // 2 heads and 20 ms a page

    auto reader = engines::OpusOgg::create(rate_hz);
    ASSERT_TRUE(reader);
    std::vector<std::int16_t> heard;
    for (const auto& page : *pages) ASSERT_TRUE(reader->push(page, heard));
    ASSERT_TRUE(reader->finish(heard));
    ASSERT_EQ(heard.size(), sound.samples.size()) << rate_hz;
    double product = 0, mine = 0, theirs = 0;
    for (std::size_t i = 0; i < heard.size(); ++i) {
      product += double{1} * heard[i] * sound.samples[i];
      mine += double{1} * sound.samples[i] * sound.samples[i];
      theirs += double{1} * heard[i] * heard[i];
    }
    EXPECT_GT(product / std::sqrt(mine * theirs), 0.9) << rate_hz;
  }
}

TEST(SpeakOpus, ARateThatOpusDoesNotKnowIsRefused) {
  EXPECT_FALSE(ogg_opus_pages({.rate_hz = 22050, .samples = std::vector<std::int16_t>(1000)}));
}

}  // namespace
}  // namespace stagedoor::server
