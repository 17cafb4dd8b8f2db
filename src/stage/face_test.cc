// SPDX-License-Identifier: Apache-2.0

#include "stage/face.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace stagedoor::stage {
namespace {

TEST(Face, EachOfTheFiftyTwoShapesHasItsOwnNameInItsPlace) {
  EXPECT_EQ(std::set<std::string_view>(shape_names.begin(), shape_names.end()).size(), shape_count);
  const auto name = [](Shape shape) { return shape_names[static_cast<std::size_t>(shape)]; };
  EXPECT_EQ(name(Shape::eyeBlinkLeft), "eyeBlinkLeft");
  EXPECT_EQ(name(Shape::jawOpen), "jawOpen");
  EXPECT_EQ(name(Shape::mouthPressRight), "mouthPressRight");
  EXPECT_EQ(name(Shape::browInnerUp), "browInnerUp");
  EXPECT_EQ(name(Shape::tongueOut), "tongueOut");
}

TEST(Face, AFreshFaceIsAtRest) {
  const Face face;
  EXPECT_TRUE(std::ranges::all_of(face.shapes, [](float shape) { return shape == 0; }));
  EXPECT_EQ(face.head_pitch, 0);
}

}  // namespace
}  // namespace stagedoor::stage
