// SPDX-License-Identifier: Apache-2.0

#include "stage/mouth.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

namespace stagedoor::stage {
namespace {

Heard certain(Hold hold) {
  Heard heard;
  heard.chance[static_cast<std::size_t>(hold)] = 1;
  heard.loudness_db = hold == Hold::rest ? -90 : -20;
  heard.level_db = -15;
  return heard;
}

// The faces of holds kept for so many frames of 10 ms each.
std::vector<Face> act(const std::vector<std::pair<Hold, int>>& holds) {
  Mouth mouth;
  std::vector<Face> faces;
  for (const auto& [hold, frames] : holds) {
    for (int k = 0; k < frames; ++k) {
      if (!mouth.push(certain(hold))) continue;
      mouth.write(faces.emplace_back());
    }
  }
  return faces;
}

Face held(Hold hold) {
  return act({{hold, 60}}).back();
}

float parted(const Face& face) {
  return face[Shape::jawOpen] - face[Shape::mouthClose];
}

TEST(Mouth, EachWayOfHoldingItShowsInItsOwnShapes) {
  EXPECT_GT(held(Hold::wide_open)[Shape::jawOpen], 0.5F);
  EXPECT_GT(held(Hold::pressed)[Shape::mouthPressLeft], 0.4F);
  EXPECT_LT(parted(held(Hold::pressed)), 0.01F);
  EXPECT_GT(held(Hold::lip_on_teeth)[Shape::mouthRollLower], 0.5F);
  EXPECT_GT(held(Hold::lip_on_teeth)[Shape::mouthUpperUpLeft], 0.2F);
  EXPECT_GT(held(Hold::round)[Shape::mouthPucker], 0.6F);
  EXPECT_GT(held(Hold::half_round)[Shape::mouthFunnel], 0.3F);
  EXPECT_GT(held(Hold::spread)[Shape::mouthStretchRight], 0.3F);
  EXPECT_GT(held(Hold::spread)[Shape::mouthSmileRight], 0.15F);
  EXPECT_GT(held(Hold::hiss)[Shape::mouthStretchLeft], 0.25F);
  EXPECT_LT(held(Hold::hiss)[Shape::jawOpen], 0.1F);
  EXPECT_GT(held(Hold::hush)[Shape::mouthFunnel], 0.35F);
}

TEST(Mouth, AtRestEveryShapeIsZero) {
  const Face face = act({{Hold::wide_open, 30}, {Hold::rest, 20}}).back();
  for (const float shape : face.shapes) EXPECT_NEAR(shape, 0, 1e-5);
}

TEST(Mouth, AShortLipSoundBetweenOpenVowelsClosesTheLipsWhole) {
  const auto faces = act({{Hold::wide_open, 30}, {Hold::pressed, 4}, {Hold::wide_open, 30}});
  int closed = 0;
  for (std::size_t k = 30; k < 34; ++k) closed += parted(faces[k]) < 0.02F;
  EXPECT_EQ(closed, 4);
  EXPECT_GT(parted(faces[24]), 0.4F);
  EXPECT_GT(parted(faces[42]), 0.3F);
}

TEST(Mouth, LipsThatMeetKeepTheRoundingOfTheVowelAfter) {
  const auto moo = act({{Hold::rest, 20}, {Hold::pressed, 8}, {Hold::round, 10}});
  const auto me = act({{Hold::rest, 20}, {Hold::pressed, 8}, {Hold::spread, 10}});
  EXPECT_GT(moo[27][Shape::mouthPucker], me[27][Shape::mouthPucker] + 0.02F);
}

TEST(Mouth, NoShapeMovesFasterThanAMouthCan) {
  std::vector<std::pair<Hold, int>> holds;
  for (std::size_t k = 0; k < 200; ++k) {
    holds.emplace_back(static_cast<Hold>((k * 7 + k / 15) % hold_count), 1 + k % 9);
  }
  const auto faces = act(holds);
  for (std::size_t k = 1; k < faces.size(); ++k) {
    ASSERT_LE(std::abs(faces[k][Shape::jawOpen] - faces[k - 1][Shape::jawOpen]), 0.0851F);
    ASSERT_LE(std::abs(faces[k][Shape::mouthPucker] - faces[k - 1][Shape::mouthPucker]), 0.25F);
  }
}

}  // namespace
}  // namespace stagedoor::stage
