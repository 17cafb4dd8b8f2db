// Key sets as issuers publish them, and as strangers would like them to be.
#include <gtest/gtest.h>

#include "crypto/signer_for_test.h"
#include "rules/issuer_keys.h"
#include "rules/jwk_set.h"

namespace stagedoor::rules {
namespace {

using crypto::TestSigner;
using enum crypto::SignatureAlgorithm;

std::string set_of(std::initializer_list<std::string> keys) {
  std::string out = "{\"keys\":[";
  for (const auto& key : keys) out += (out.ends_with('[') ? "" : ",") + key;
  return out + "]}";
}

struct Keys {
  TestSigner rsa = TestSigner::rsa(), rsa2 = TestSigner::rsa(), p256 = TestSigner::p256(),
             p384 = TestSigner::p384(), ed = TestSigner::ed25519();
};
const Keys& keys() {
  static const Keys made;
  return made;
}

TEST(JwkSet, KeysAreFoundByKidAndAlgorithm) {
  const auto set = JwkSet::parse(set_of(
      {keys().rsa.jwk(R"(,"kid":"r","use":"sig","alg":"RS256")"), keys().p256.jwk(R"(,"kid":"e")"),
       keys().p384.jwk(R"(,"kid":"e3","key_ops":["verify"])"), keys().ed.jwk(R"(,"kid":"d")")}));
  ASSERT_TRUE(set) << set.error().detail;
  EXPECT_EQ(set->size(), 4u);
  ASSERT_NE(set->find("r", rs256), nullptr);
  EXPECT_TRUE(set->find("r", rs256)->verifies(rs256, "x", keys().rsa.sign(rs256, "x")));
  EXPECT_NE(set->find("e", es256), nullptr);
  EXPECT_NE(set->find("e3", es384), nullptr);
  EXPECT_NE(set->find("d", eddsa), nullptr);
  EXPECT_EQ(set->find("r", ps256), nullptr) << "the key is for RS256 alone";
  EXPECT_EQ(set->find("e", rs256), nullptr) << "a key of another kind";
  EXPECT_EQ(set->find("e", es384), nullptr) << "a key on another curve";
  for (const auto* kid : {"", "R", "r ", "../r", "' OR 1=1 --"})
    EXPECT_EQ(set->find(kid, rs256), nullptr) << kid;
}

// Rule jwks-unusable-ignored.
TEST(JwkSet, KeysThatCantBeUsedArePassedOver) {
  const std::string unusable[] = {
      keys().rsa2.jwk(R"(,"kid":"x","use":"enc")"),
      keys().rsa2.jwk(R"(,"kid":"x","alg":"RSA-OAEP")"),
      keys().rsa2.jwk(R"(,"kid":"x","alg":"HS256")"),
      keys().rsa2.jwk(R"(,"kid":"x","alg":"ES256")"),
      keys().rsa2.jwk(R"(,"kid":"x","key_ops":["encrypt"])"),
      keys().rsa2.jwk(R"(,"kid":"x","key_ops":"verify")"),
      keys().rsa2.jwk(R"(,"kid":"x","d":"AQAB")"),
      keys().rsa2.jwk(R"(,"kid":7)"),
      TestSigner::rsa(1024).jwk(R"(,"kid":"x")"),
      R"({"kty":"oct","kid":"x","k":"AAAA"})",
      R"({"kty":"oct","kid":"x","k":""})",
      R"({"kty":"RSA","kid":"x","n":"AQAB","e":"AQAB"})",
      R"({"kty":"RSA","kid":"x"})",
      R"({"kty":"EC","crv":"P-521","kid":"x","x":"AA","y":"AA"})",
      R"({"kty":"EC","crv":"P-256","kid":"x","x":"AA","y":"AA"})",
      R"({"kty":"OKP","crv":"X25519","kid":"x","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})",
      R"({"kty":"new","kid":"x"})",
      R"({})",
      R"("x")",
      R"(null)",
      R"({"kty":["RSA"],"kid":"x","n":{},"e":1})",
  };
  for (const auto& one : unusable) {
    const auto set = JwkSet::parse(set_of({one, keys().rsa.jwk(R"(,"kid":"good")")}));
    ASSERT_TRUE(set) << one;
    EXPECT_EQ(set->size(), 1u) << one;
    EXPECT_NE(set->find("good", rs256), nullptr) << one;
    EXPECT_FALSE(JwkSet::parse(set_of({one}))) << one;
  }
}

// Rule jwks-ambiguous-ignored.
TEST(JwkSet, OfTwoDifferentKeysUnderOneKidNeitherIsUsed) {
  const auto set =
      JwkSet::parse(set_of({keys().rsa.jwk(R"(,"kid":"a")"), keys().rsa2.jwk(R"(,"kid":"a")"),
                            keys().p256.jwk(R"(,"kid":"a")"), keys().rsa.jwk(R"(,"kid":"b")"),
                            keys().rsa.jwk(R"(,"kid":"b")")}));
  ASSERT_TRUE(set);
  EXPECT_EQ(set->find("a", rs256), nullptr);
  EXPECT_NE(set->find("a", es256), nullptr) << "another kind is not ambiguous (RFC 7517 4.5)";
  EXPECT_NE(set->find("b", rs256), nullptr) << "the same key twice is one key";
  EXPECT_EQ(set->size(), 2u);
}

// Rule jwks-ambiguous-ignored.
TEST(JwkSet, ATokenWithoutKidIsVerifiedOnlyWhereOneKeyFits) {
  const auto one = JwkSet::parse(set_of({keys().rsa.jwk(), keys().p256.jwk(R"(,"kid":"e")")}));
  ASSERT_TRUE(one);
  EXPECT_NE(one->find(std::nullopt, rs256), nullptr);
  EXPECT_NE(one->find(std::nullopt, es256), nullptr);
  const auto two = JwkSet::parse(set_of({keys().rsa.jwk(), keys().rsa2.jwk(R"(,"kid":"b")")}));
  ASSERT_TRUE(two);
  EXPECT_EQ(two->find(std::nullopt, rs256), nullptr);
  EXPECT_NE(two->find("b", rs256), nullptr);
}

// Rule jwks-bounded.
TEST(JwkSet, TooManyKeysOrBytesAreRefused) {
  std::string many = "{\"keys\":[" + keys().ed.jwk(R"(,"kid":"k")");
  for (int i = 0; i < 63; ++i)
    many += "," + keys().ed.jwk(",\"kid\":\"" + std::to_string(i) + "\"");
  EXPECT_TRUE(JwkSet::parse(many + "]}"));
  EXPECT_FALSE(JwkSet::parse(many + "," + keys().ed.jwk() + "]}"));
  const auto good = set_of({keys().ed.jwk(R"(,"kid":"k")")});
  EXPECT_TRUE(JwkSet::parse(good + std::string(jwk_set_bytes_max - good.size(), ' ')));
  EXPECT_FALSE(JwkSet::parse(good + std::string(jwk_set_bytes_max, ' ')));
}

TEST(JwkSet, WhatIsNoSetIsRefused) {
  for (const auto* text :
       {"", "{}", "[]", "null", "{\"keys\":{}}", "{\"keys\":null}", "{\"keys\":[]}", "<html>",
        "{\"keys\":[],\"keys\":[]}", "{\"keys\":[1,2"}) {
    const auto set = JwkSet::parse(text);
    ASSERT_FALSE(set) << text;
    EXPECT_EQ(set.error().code, base::ErrorCode::malformed);
  }
}

TEST(JwkSet, TheFingerprintFollowsTheUsableKeysAndNotTheirOrder) {
  const auto a = keys().rsa.jwk(R"(,"kid":"a")"), b = keys().p256.jwk(R"(,"kid":"b")");
  const auto fingerprint = [](std::initializer_list<std::string> list) {
    return JwkSet::parse(set_of(list))->fingerprint();
  };
  EXPECT_EQ(fingerprint({a, b}), fingerprint({b, a}));
  EXPECT_EQ(fingerprint({a, b}), fingerprint({a, R"({"kty":"oct","k":"AAAA"})", b}));
  EXPECT_NE(fingerprint({a, b}), fingerprint({a}));
  EXPECT_NE(fingerprint({a}), fingerprint({keys().rsa.jwk(R"(,"kid":"c")")}));
  EXPECT_NE(fingerprint({a}), fingerprint({keys().rsa2.jwk(R"(,"kid":"a")")}));
}

TEST(FixedKeys, AReplacedSetHasANewGeneration) {
  FixedKeys fixed(*JwkSet::parse(set_of({keys().ed.jwk(R"(,"kid":"a")")})));
  JwtHeader header;
  header.key_id = "a";
  const auto before = fixed.keys_for(header, eddsa, {});
  ASSERT_TRUE(before);
  EXPECT_EQ(before->generation, fixed.generation({}));
  fixed.replace(*JwkSet::parse(set_of({keys().p256.jwk(R"(,"kid":"b")")})));
  EXPECT_NE(before->generation, fixed.generation({}));
  EXPECT_EQ(fixed.keys_for(header, eddsa, {}).error().code, base::ErrorCode::token_invalid);
  EXPECT_NE(before->set->find("a", eddsa), nullptr) << "who began with the former set ends with it";
}

}  // namespace
}  // namespace stagedoor::rules
