// SPDX-License-Identifier: Apache-2.0

#include "engines/coverage.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <vector>

#include "engines/outline.h"
#include "engines/pixel_blend.h"

namespace stagedoor::engines {
namespace {

constexpr int side = 100;
using Picture = std::vector<int>;  // the alpha of each pixel

Picture covered(const std::vector<Chain>& chains, const PixelBox& box = {0, 0, side, side}) {
  Coverage coverage;
  coverage.begin(box);
  for (const auto& chain : chains) coverage.add_closed(chain);
  Picture picture(side * side);
  coverage.take_runs([&](const Coverage::Run& run) {
    for (int i = 0; i < run.count; ++i)
      picture[static_cast<std::size_t>(run.y * side + run.x + i)] =
          run.alphas.empty() ? run.alpha : run.alphas[static_cast<std::size_t>(i)];
  });
  return picture;
}

double area_of(const Picture& picture) {
  return std::accumulate(picture.begin(), picture.end(), 0.0) / 255;
}

Chain circle(double x, double y, double radius, int corners = 200) {
  Chain chain;
  for (int i = 0; i < corners; ++i)
    chain.push_back({x + radius * std::cos(2 * M_PI * i / corners),
                     y + radius * std::sin(2 * M_PI * i / corners)});
  return chain;
}

TEST(Coverage, AnEdgeCoversAPixelByItsShare) {
  const auto picture = covered({{{10.25, 10.5}, {20.5, 10.5}, {20.5, 20}, {10.25, 20}}});
  const auto at = [&](int x, int y) { return picture[static_cast<std::size_t>(y * side + x)]; };
  EXPECT_EQ(at(15, 15), 255);
  EXPECT_NEAR(at(10, 15), 191, 1);
  EXPECT_NEAR(at(20, 15), 128, 1);
  EXPECT_NEAR(at(15, 10), 128, 1);
  EXPECT_NEAR(at(10, 10), 96, 1);
  EXPECT_EQ(at(9, 15), 0);
  EXPECT_EQ(at(21, 15), 0);
  EXPECT_EQ(at(15, 20), 0);
}

TEST(Coverage, AShapeCoversItsAreaWhicheverWayItIsGoneRound) {
  auto round = circle(50.3, 49.7, 33.3);
  EXPECT_NEAR(area_of(covered({round})), M_PI * 33.3 * 33.3, 12);
  const auto forwards = covered({round});
  std::ranges::reverse(round);
  EXPECT_EQ(covered({round}), forwards);
}

TEST(Coverage, WhatIsGoneRoundTwiceIsCoveredOnce) {
  const auto round = circle(50, 50, 20);
  const auto twice = covered({round, round});
  EXPECT_EQ(*std::ranges::max_element(twice), 255);
  EXPECT_EQ(twice[50 * side + 50], 255);
}

// A picture of which a part is drawn again is the picture that was drawn whole.
TEST(Coverage, EveryBoxGivesItsPixelsTheSame) {
  const std::vector<Chain> chains = {circle(40.37, 55.81, 61.7, 37),
                                     {{-300.3, 20.2}, {412.7, 33.9}, {50.1, 1000.5}}};
  const auto whole = covered(chains);
  for (const auto& box : {PixelBox{16, 16, 48, 96}, PixelBox{33, 7, 34, 99},
                          PixelBox{0, 64, 100, 80}, PixelBox{80, 0, 100, 100}}) {
    const auto part = covered(chains, box);
    for (int y = box.top; y < box.bottom; ++y)
      for (int x = box.left; x < box.right; ++x) {
        const auto at = static_cast<std::size_t>(y * side + x);
        ASSERT_EQ(part[at], whole[at]) << x << ", " << y;
      }
  }
}

TEST(Coverage, ItForgetsAShapeWhenItsRunsAreTaken) {
  Coverage coverage;
  const auto take = [&](const PixelBox& box) {
    int pixels = 0;
    coverage.take_runs([&](const Coverage::Run& run) {
      for (int i = 0; i < run.count; ++i)
        pixels += (run.alphas.empty() ? run.alpha : run.alphas[static_cast<std::size_t>(i)]) > 0;
    });
    coverage.begin(box);
    return pixels;
  };
  coverage.begin({0, 0, 100, 100});
  coverage.add_closed(circle(50, 50, 49));
  EXPECT_GT(take({7, 3, 60, 99}), 7000);
  EXPECT_EQ(take({0, 0, 100, 100}), 0);
  EXPECT_EQ(take({0, 0, 100, 100}), 0);
}

TEST(Coverage, WhatLiesFarOutsideDoesNoHarm) {
  const auto picture =
      covered({{{-1e9, -1e9}, {1e9, -1e9}, {1e9, 1e9}, {-1e9, 1e9}}, {{500, 500}, {600, 600}}});
  EXPECT_EQ(*std::ranges::min_element(picture), 255);
}

TEST(StrokeOutline, APenCoversItsLengthTimesItsWidthAndItsRoundEnds) {
  StrokeOutline stroke;
  const auto area_along = [&](const Chain& chain, bool is_closed, double half_width) {
    stroke.trace(chain, is_closed, half_width);
    return area_of(covered(stroke.chains()));
  };
  const double ends = M_PI * 9;
  EXPECT_NEAR(area_along({{20, 20}, {80, 20}}, false, 3), 60 * 6 + ends, 3);
  EXPECT_NEAR(area_along({{20, 20}, {80, 70}}, false, 3), 78.1 * 6 + ends, 3);
  EXPECT_NEAR(area_along({{50, 50}}, false, 3), ends, 1.5) << "a dot";
  // A right angle: the square that both lines share, and a quarter of a round outside of it.
  EXPECT_NEAR(area_along({{20, 20}, {70, 20}, {70, 70}}, false, 3),
              100 * 6 + ends - 9 + M_PI * 9 / 4, 3);
  EXPECT_NEAR(area_along(circle(50, 50, 30), true, 2), 2 * M_PI * 30 * 4, 5) << "a ring";
}

TEST(StrokeOutline, TheWholePenIsCoveredAroundEveryCorner) {
  StrokeOutline stroke;
  const Chain zigzag = {{10, 50}, {30, 20}, {35, 80}, {60, 20}, {90, 50}};
  stroke.trace(zigzag, false, 4);
  const auto picture = covered(stroke.chains());
  for (std::size_t i = 0; i + 1 < zigzag.size(); ++i)
    for (int step = 0; step <= 50; ++step) {
      const double part = step / 50.0;
      const double x = zigzag[i].x + (zigzag[i + 1].x - zigzag[i].x) * part;
      const double y = zigzag[i].y + (zigzag[i + 1].y - zigzag[i].y) * part;
      EXPECT_EQ(picture[static_cast<std::size_t>(static_cast<int>(y) * side + static_cast<int>(x))],
                255)
          << x << ", " << y;
    }
}

TEST(PixelBlend, FourPixelsAtATimeAreWhatOneAtATimeIs) {
  std::vector<std::uint32_t> below, ink;
  std::vector<std::uint8_t> alphas;
  std::uint32_t number = 1;
  const auto next = [&] { return number = number * 1664525U + 1013904223U; };
  for (int i = 0; i < 4099; ++i) {
    below.push_back(0xff000000U | next() >> 8);
    const auto any = next();
    ink.push_back(colour_of(any >> 8 & 255, any >> 16 & 255, any >> 24, (any & 255) / 255.0));
    alphas.push_back(static_cast<std::uint8_t>(next() >> 24));
  }
  auto together = below, apart = below;
  blend(together.data(), {.pixels = ink.data()}, alphas);
  for (std::size_t i = 0; i < below.size(); ++i)
    blend(&apart[i], {.pixels = &ink[i]}, std::span(&alphas[i], 1));
  EXPECT_EQ(together, apart);
  together = apart = below;
  blend(together.data(), {.colour = ink[7]}, static_cast<int>(below.size()), 77);
  for (auto& pixel : apart) blend(&pixel, {.colour = ink[7]}, 1, 77);
  EXPECT_EQ(together, apart);
}

TEST(PixelBlend, WhatIsOpaqueReplacesAndWhatIsNothingChangesNothing) {
  std::vector<std::uint32_t> pixels(9, 0xff102030);
  blend(pixels.data(), {.colour = 0}, 9, 255);
  EXPECT_EQ(pixels, std::vector<std::uint32_t>(9, 0xff102030));
  blend(pixels.data(), {.colour = 0xff405060}, 9, 0);
  EXPECT_EQ(pixels, std::vector<std::uint32_t>(9, 0xff102030));
  blend(pixels.data(), {.colour = 0xff405060, .is_opaque = true}, 9, 255);
  EXPECT_EQ(pixels, std::vector<std::uint32_t>(9, 0xff405060));
  blend(pixels.data(), {.colour = 0xff405060}, 9, 255);
  EXPECT_EQ(pixels, std::vector<std::uint32_t>(9, 0xff405060));
}

}  // namespace
}  // namespace stagedoor::engines
