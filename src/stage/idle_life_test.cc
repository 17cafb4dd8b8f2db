// SPDX-License-Identifier: Apache-2.0

#include "stage/idle_life.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace stagedoor::stage {
namespace {

std::vector<Face> live(std::uint64_t seed, int seconds, float stress) {
  IdleLife life(seed);
  std::vector<Face> faces(static_cast<std::size_t>(seconds) * 25);
  for (Face& face : faces) life.write(stress, face);
  return faces;
}

// Rule motion-seeded.
TEST(IdleLife, TheSeedDecidesAll) {
  const auto one = live(3, 60, 0.2F), again = live(3, 60, 0.2F), other = live(4, 60, 0.2F);
  bool differs = false;
  for (std::size_t i = 0; i < one.size(); ++i) {
    ASSERT_EQ(one[i].shapes, again[i].shapes);
    ASSERT_EQ(one[i].head_yaw, again[i].head_yaw);
    differs = differs || one[i].shapes != other[i].shapes;
  }
  EXPECT_TRUE(differs);
}

TEST(IdleLife, EveryoneBlinksEightToThirtyTimesAMinuteAndOpensTheEyesAgain) {
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    const auto faces = live(seed, 180, 0);
    int blinks = 0, shut = 0;
    bool down = false;
    for (const Face& face : faces) {
      const float lids = face[Shape::eyeBlinkLeft];
      EXPECT_EQ(lids, face[Shape::eyeBlinkRight]);
      if (lids > 0.8F && !down) ++blinks, down = true;
      if (lids < 0.3F) down = false;
      shut += lids > 0.5F;
    }
    EXPECT_GE(blinks, 3 * 8) << seed;
    EXPECT_LE(blinks, 3 * 30) << seed;
    EXPECT_LT(shut, static_cast<int>(faces.size()) / 10) << seed;
  }
}

TEST(IdleLife, HeadAndEyesMoveALittleSmoothlyAndWithinBounds) {
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    const auto faces = live(seed, 120, 0.5F);
    float least = 0, most = 0;
    for (std::size_t i = 0; i < faces.size(); ++i) {
      for (const float angle : {faces[i].head_pitch, faces[i].head_yaw, faces[i].head_roll}) {
        ASSERT_LE(std::abs(angle), 0.12F);
      }
      ASSERT_LE(std::abs(faces[i].eye_yaw), 0.15F);
      ASSERT_LE(std::abs(faces[i].eye_pitch), 0.15F);
      for (const float shape : faces[i].shapes) ASSERT_TRUE(shape >= 0 && shape <= 1);
      least = std::min(least, faces[i].head_yaw);
      most = std::max(most, faces[i].head_yaw);
      ASSERT_LT(std::abs(faces[i].head_yaw - faces[i ? i - 1 : 0].head_yaw), 0.02F);
    }
    EXPECT_GT(most - least, 0.02F) << seed;
  }
}

TEST(IdleLife, StressLiftsTheBrowsOfMostPeople) {
  int lifted = 0;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    IdleLife calm(seed), lively(seed);
    float calm_most = 0, lively_most = 0;
    for (int i = 0; i < 500; ++i) {
      Face one, two;
      calm.write(0, one);
      lively.write(i % 25 < 8 ? 1.0F : 0.0F, two);
      calm_most = std::max(calm_most, one[Shape::browInnerUp]);
      lively_most = std::max(lively_most, two[Shape::browInnerUp]);
    }
    lifted += lively_most > calm_most + 0.1F;
  }
  EXPECT_GE(lifted, 36);
}

}  // namespace
}  // namespace stagedoor::stage
