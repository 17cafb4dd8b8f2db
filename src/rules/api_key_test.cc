#include "rules/api_key.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <set>

#include "base/text.h"
#include "crypto/random.h"

namespace stagedoor::rules {
namespace {

using base::ErrorCode;

std::string made(Environment environment) {
  crypto::SystemRandom random;
  return std::string(ApiKeyText::make(environment, random).secret().expose());
}

// Rule api-key-format.
TEST(ApiKey, HasItsPrefixAndThirtySevenBase62Characters) {
  EXPECT_TRUE(made(Environment::live).starts_with("av_live_"));
  EXPECT_TRUE(made(Environment::test).starts_with("av_test_"));
  EXPECT_EQ(made(Environment::live).size(), 8u + 37u);
}

// Rule api-key-format.
TEST(ApiKey, IsReadBackWithItsEnvironment) {
  for (const auto environment : {Environment::live, Environment::test}) {
    const auto text = made(environment);
    const auto parsed = ApiKeyText::parse(text);
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->environment(), environment);
    EXPECT_EQ(parsed->secret().expose(), text);
  }
}

// Rule api-key-format.
TEST(ApiKey, AnySingleMistypedCharacterFailsTheChecksum) {
  const auto good = made(Environment::live);
  for (std::size_t at = 8; at < good.size(); ++at) {
    auto bad = good;
    bad[at] = bad[at] == 'a' ? 'b' : 'a';
    const auto parsed = ApiKeyText::parse(bad);
    ASSERT_FALSE(parsed) << at;
    EXPECT_EQ(parsed.error().code, ErrorCode::mistyped_key);
    EXPECT_NE(parsed.error().hint.find("checksum"), std::string::npos);
  }
}

// Rule api-key-format.
TEST(ApiKey, TwoSwappedNeighboursFailTheChecksum) {
  const auto good = made(Environment::test);
  for (std::size_t at = 8; at + 1 < good.size(); ++at) {
    auto bad = good;
    std::swap(bad[at], bad[at + 1]);
    if (bad != good) {
      EXPECT_EQ(ApiKeyText::parse(bad).error().code, ErrorCode::mistyped_key);
    }
  }
}

// Rule api-key-format.
TEST(ApiKey, ALiveKeyDoesNotPassAsATestKey) {
  auto key = made(Environment::live);
  key.replace(0, 8, "av_test_");
  EXPECT_EQ(ApiKeyText::parse(key).error().code, ErrorCode::mistyped_key);
}

TEST(ApiKey, WhatIsNotAKeyIsToldWhatIsWrong) {
  const auto hint = [](std::string_view text) { return ApiKeyText::parse(text).error().hint; };
  EXPECT_NE(hint("").find("empty"), std::string::npos);
  EXPECT_NE(hint("av_live_ abc").find("white space"), std::string::npos);
  EXPECT_NE(hint(made(Environment::live) + "\n").find("white space"), std::string::npos);
  EXPECT_NE(hint("sk_live_abc").find("begins with av_live_"), std::string::npos);
  EXPECT_NE(hint("av_live_abc").find("45 characters"), std::string::npos);
  EXPECT_NE(hint("av_live_" + std::string(37, '-')).find("digits and letters"), std::string::npos);
}

// Rule api-key-listed-by-ends.
TEST(ApiKey, IsListedByPrefixAndFourCharactersAtEachEnd) {
  crypto::SystemRandom random;
  const auto key = ApiKeyText::make(Environment::test, random);
  const auto text = std::string(key.secret().expose());
  EXPECT_EQ(key.ends(), text.substr(0, 12) + "…" + text.substr(41));
}

// Rule api-key-hashed.
TEST(ApiKey, ItsHashDependsOnTheServerSecret) {
  crypto::SystemRandom random;
  const auto key = ApiKeyText::make(Environment::test, random);
  const auto hasher = [](std::string_view secret) {
    std::vector<crypto::HmacKey> keys;
    keys.emplace_back(base::Secret(secret));
    return ApiKeyHasher(std::move(keys));
  };
  EXPECT_EQ(hasher("one").current(key), hasher("one").current(key));
  EXPECT_NE(hasher("one").current(key), hasher("two").current(key));
}

// Rule api-key-imported-hashes.
TEST(ForeignKey, OnlyATextThatIsNotOursIsLookedUpAsAForeignKey) {
  for (const auto* text : {"acme_3ZfQpW", "acme.secret", "a.b.c.d"})
    EXPECT_TRUE(foreign_hash_of(text)) << text;
  for (const auto& text : {std::string(), made(Environment::live), std::string("av_test_short"),
                           std::string("acme 3Zf"), std::string("acme\n"), std::string("acme.1.2"),
                           std::string(513, 'a')})
    EXPECT_FALSE(foreign_hash_of(text)) << text;
}

// Rule api-key-imported-hashes.
TEST(ForeignKey, ItsHashIsReadInEverySpellingThatOthersUse) {
  const auto hash = foreign_hash_of("acme_3ZfQpW")->sha256;
  const auto in_hex = base::hex(hash);
  const auto in_base64url = base::base64url(base::as_text(hash));
  auto in_base64 = in_base64url;
  std::ranges::replace(in_base64, '-', '+');
  std::ranges::replace(in_base64, '_', '/');
  auto upper = in_hex;
  for (auto& c : upper) c = static_cast<char>(std::toupper(c));
  for (const auto& text : {in_hex, upper, in_base64url, in_base64, in_base64 + "="}) {
    const auto read = read_foreign_hash(text);
    ASSERT_TRUE(read) << text;
    EXPECT_EQ(read->sha256, hash);
  }
  for (const auto& text : {std::string(), in_hex.substr(1), in_hex + "0", std::string(64, 'g'),
                           in_base64 + "x", std::string(43, '*'), std::string("acme_3ZfQpW")})
    EXPECT_FALSE(read_foreign_hash(text)) << text;
}

// Rule api-key-imported-hashes.
TEST(ForeignKey, WhatIsKeptDependsOnTheServerSecretToo) {
  const auto key = *foreign_hash_of("acme_3ZfQpW");
  const auto hasher = [](std::string_view secret) {
    std::vector<crypto::HmacKey> keys;
    keys.emplace_back(base::Secret(secret));
    return ApiKeyHasher(std::move(keys));
  };
  EXPECT_NE(hasher("one").current(key), key.sha256);
  EXPECT_NE(hasher("one").current(key), hasher("two").current(key));
}

TEST(ApiKeyTexts, NamesAndReasonsAreBoundedAndHaveNoControlCharacters) {
  EXPECT_TRUE(check_key_name("for the kiosk · Wien"));
  EXPECT_TRUE(check_key_reason(""));
  EXPECT_TRUE(check_key_reason("key_compromise"));
  for (const auto& text : {std::string("a\nb"), std::string("a\x7f"), std::string(201, 'a')}) {
    EXPECT_FALSE(check_key_name(text));
    EXPECT_FALSE(check_key_reason(text));
  }
  EXPECT_FALSE(check_key_name(""));
  EXPECT_FALSE(check_key_name(std::string(101, 'a')));
}

TEST(ApiKeyId, TextAndNumberAreEachOthersInverse) {
  for (const std::uint64_t id : {std::uint64_t{0}, std::uint64_t{1}, ~std::uint64_t{0} >> 1})
    EXPECT_EQ(parse_api_key_id(api_key_id_text(id)), id);
  for (const auto* text : {"", "key_", "key_000000000000000", "key_00000000000000000",
                           "key_000000000000000G", "kay_0000000000000000"})
    EXPECT_FALSE(parse_api_key_id(text)) << text;
}

}  // namespace
}  // namespace stagedoor::rules
