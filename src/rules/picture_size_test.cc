// SPDX-License-Identifier: Apache-2.0

#include "rules/picture_size.h"

#include <gtest/gtest.h>

namespace stagedoor::rules {
namespace {

// Rule picture-sizes.
TEST(PictureSize, IsOneOfSixAndBreaksUpIntoTheEncodersBlocks) {
  EXPECT_EQ(PictureSize{}, (PictureSize{720, 480}));
  for (const auto& size : picture_sizes) {
    const auto asked = picture_size(size.width, size.height);
    ASSERT_TRUE(asked);
    EXPECT_EQ(*asked, size);
    // VP8 works on blocks of 16 by 16, its colours on half of that.
    EXPECT_EQ(size.width % 16, 0);
    EXPECT_EQ(size.height % 16, 0);
  }
}

// Rule picture-sizes.
TEST(PictureSize, AnyOtherIsRefusedWithTheListOfThoseThatThereAre) {
  for (const auto& [width, height] :
       {std::pair(0, 0), {-720, 480}, {720, 481}, {480, 721}, {720, 1280}, {1 << 30, 1 << 30}}) {
    const auto refused = picture_size(width, height);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, base::ErrorCode::unsupported);
    EXPECT_EQ(refused.error().hint,
              "The picture may be 720x480, 480x720, 480x480, 576x384, 1152x768, 768x1152.");
  }
}

}  // namespace
}  // namespace stagedoor::rules
