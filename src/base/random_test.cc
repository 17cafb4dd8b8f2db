#include "base/random.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "base/text.h"

namespace stagedoor::base {
namespace {

class Counting : public Random {
 public:
  void fill(std::span<std::uint8_t> out) override {
    for (auto& byte : out) byte = next_++;
  }

 private:
  std::uint8_t next_ = 0;
};

TEST(RandomBase62, EveryCharacterIsEquallyLikely) {
  Counting random;
  std::map<char, int> counts;
  // 248 of each 256 bytes are used, four for each character.
  for (const char c : random_base62(random, 62 * 400)) ++counts[c];
  EXPECT_EQ(counts.size(), 62u);
  for (const auto& [c, count] : counts) EXPECT_NEAR(count, 400, 4) << c;
}

TEST(RandomUuid, HasVersionAndVariantOfRfc9562) {
  Counting random;
  for (int i = 0; i < 20; ++i) {
    const auto uuid = random_uuid(random);
    ASSERT_EQ(uuid.size(), 36u);
    EXPECT_EQ(uuid[14], '4');
    EXPECT_NE(std::string("89ab").find(uuid[19]), std::string::npos);
    EXPECT_EQ(std::ranges::count(uuid, '-'), 4);
  }
}

}  // namespace
}  // namespace stagedoor::base
