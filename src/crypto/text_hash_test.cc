// Texts that differ hash differently, and the hash is the one that was proven.
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "crypto/random.h"
#include "crypto/text_hash.h"

namespace stagedoor::crypto {
namespace {

// Bytes 1, 0, 0, 0, 0, 0, 0, 0, 2, 0, ...: the words 1, 2, 3, ... on a little-endian machine.
class Counting : public base::Random {
 public:
  void fill(std::span<std::uint8_t> bytes) override {
    std::ranges::fill(bytes, std::uint8_t{0});
    for (std::size_t i = 0; i * 8 < bytes.size(); ++i)
      bytes[i * 8] = static_cast<std::uint8_t>(i + 1);
  }
};

TEST(TextHash, TheSumsOfProductsAreThoseOfNh) {
  Counting counting;
  const TextHash hash(64, counting);
  // (1+10)(2+20) + (3+0)(4+0), and with the key two words on (3+10)(4+20) + (5+0)(6+0).
  std::string text(32, '\0');
  text[0] = 10;
  text[8] = 20;
  const auto digest = hash(text);
  ASSERT_TRUE(digest);
  EXPECT_EQ(digest->words, (std::array<std::uint64_t, 4>{11 * 22 + 3 * 4, 0, 13 * 24 + 5 * 6, 0}));
  EXPECT_EQ(digest->bytes, 32u);
  // The upper halves carry.
  const auto large = hash(std::string(16, '\xff'));
  EXPECT_EQ(large->words, (std::array<std::uint64_t, 4>{0 * 1, 0, 2 * 3, 0}));
}

TEST(TextHash, TextsThatDifferInOneByteOrInLengthHashDifferently) {
  SystemRandom random;
  const TextHash hash(1000, random);
  std::set<std::array<std::uint64_t, 5>> seen;
  const auto add = [&](const std::string& text) {
    const auto digest = hash(text);
    ASSERT_TRUE(digest);
    EXPECT_EQ(digest, hash(text));
    const auto& words = digest->words;
    EXPECT_TRUE(seen.insert({words[0], words[1], words[2], words[3], digest->bytes}).second);
  };
  for (std::size_t size = 0; size <= 1000; ++size) add(std::string(size, '\0'));
  for (std::size_t at = 0; at < 1000; ++at) {
    std::string text(1000, 'a');
    text[at] = 'b';
    add(text);
  }
}

TEST(TextHash, ATextBeyondTheKeyIsNotHashed) {
  SystemRandom random;
  for (const std::size_t most : {1u, 15u, 16u, 17u, 100u, 8192u}) {
    const TextHash hash(most, random);
    EXPECT_TRUE(hash(std::string(most, 'x'))) << most;
    EXPECT_FALSE(hash(std::string(most + 32, 'x'))) << most;
  }
}

TEST(TextHash, AnotherKeyGivesAnotherHash) {
  SystemRandom random;
  EXPECT_NE(TextHash(64, random)("text"), TextHash(64, random)("text"));
}

}  // namespace
}  // namespace stagedoor::crypto
