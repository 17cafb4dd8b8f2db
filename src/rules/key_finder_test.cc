#include "rules/key_finder.h"

#include <gtest/gtest.h>

#include <vector>

#include "crypto/random.h"

namespace stagedoor::rules {
namespace {

struct Hit {
  std::string ends;
  std::uint64_t line;
  bool operator==(const Hit&) const = default;
};

std::vector<Hit> found_in(std::string_view text, std::size_t piece_bytes) {
  std::vector<Hit> hits;
  KeyFinder finder(
      [&](const ApiKeyText& key, std::uint64_t line) { hits.push_back({key.ends(), line}); });
  for (std::size_t at = 0; at < text.size(); at += piece_bytes)
    finder.take(text.substr(at, piece_bytes));
  return hits;
}

class Keys : public ::testing::Test {
 protected:
  crypto::SystemRandom random;
  ApiKeyText live = ApiKeyText::make(Environment::live, random);
  ApiKeyText test = ApiKeyText::make(Environment::test, random);
  std::string live_text{live.secret().expose()};
  std::string test_text{test.secret().expose()};
};

// Rule api-key-format.
TEST_F(Keys, AreFoundWhereverThePiecesAreCut) {
  const auto text = "a\nb = \"" + live_text + "\"\n\nav_\n" + test_text + live_text + "av_live_" +
                    test_text + "\nend";
  const std::vector<Hit> wanted = {
      {live.ends(), 2}, {test.ends(), 5}, {live.ends(), 5}, {test.ends(), 5}};
  for (std::size_t bytes = 1; bytes <= text.size(); ++bytes)
    ASSERT_EQ(found_in(text, bytes), wanted) << bytes;
}

// Rule api-key-format.
TEST_F(Keys, AreFoundInBinaryAndAtEitherEnd) {
  const auto text = live_text + std::string("\0\xff\x80", 3) + "xav_" + test_text;
  EXPECT_EQ(found_in(text, 7).size(), 2u);
  EXPECT_EQ(found_in(live_text, 64).size(), 1u);
}

// Rule api-key-format.
TEST_F(Keys, WhatOnlyLooksLikeOneIsPassedOver) {
  auto mistyped = live_text;
  mistyped[20] = mistyped[20] == 'a' ? 'b' : 'a';
  EXPECT_TRUE(found_in(mistyped, 16).empty());
  EXPECT_TRUE(found_in("av_live_" + std::string(37, '0'), 16).empty());
  EXPECT_TRUE(found_in(live_text.substr(0, 44), 16).empty());
  EXPECT_TRUE(found_in("", 1).empty());
}

}  // namespace
}  // namespace stagedoor::rules
