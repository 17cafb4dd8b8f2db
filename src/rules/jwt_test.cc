// What a person's token must look like before anybody asks whether it is genuine.
#include <gtest/gtest.h>

#include "base/text.h"
#include "rules/jwt.h"

namespace stagedoor::rules {
namespace {

using base::base64url;
using base::ErrorCode;

constexpr std::string_view header = R"({"alg":"RS256","kid":"a","typ":"JWT"})";
constexpr std::string_view claims =
    R"({"iss":"https://id.example","sub":"u1","aud":"app","exp":9})";

std::string token(std::string_view head, std::string_view payload,
                  std::string_view signature = "signature") {
  return base64url(head) + "." + base64url(payload) + "." + base64url(signature);
}
void expect_refused(const std::string& text) {
  const auto jwt = read_jwt(text);
  ASSERT_FALSE(jwt) << text;
  EXPECT_EQ(jwt.error().code, ErrorCode::token_invalid) << text;
  EXPECT_FALSE(jwt.error().hint.empty());
}
void expect_header_refused(std::string_view head) {
  expect_refused(token(head, claims));
}
void expect_claims_refused(std::string_view payload) {
  expect_refused(token(header, payload));
}

TEST(Jwt, AGoodTokenIsReadMemberByMember) {
  const auto text = token(
      header,
      R"({"iss":"i","sub":"s","aud":["a","b"],"exp":1700000000,"nbf":1,"iat":2,"auth_time":3,)"
      R"("email":"ada@example.com","email_verified":true,"gen":7,"other":{"deep":[1]}})");
  const auto jwt = read_jwt(text);
  ASSERT_TRUE(jwt) << jwt.error().hint;
  EXPECT_EQ(jwt->header.algorithm, "RS256");
  EXPECT_EQ(jwt->header.key_id, "a");
  EXPECT_EQ(jwt->header.type, "JWT");
  EXPECT_EQ(jwt->claims.issuer, "i");
  EXPECT_EQ(jwt->claims.subject, "s");
  EXPECT_EQ(jwt->claims.audiences, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(jwt->claims.expires_at, 1700000000);
  EXPECT_EQ(jwt->claims.not_before, 1);
  EXPECT_EQ(jwt->claims.issued_at, 2);
  EXPECT_EQ(jwt->claims.authenticated_at, 3);
  EXPECT_EQ(jwt->claims.email, "ada@example.com");
  EXPECT_TRUE(jwt->claims.email_is_verified);
  EXPECT_EQ(jwt->claims.generation, 7);
  EXPECT_FALSE(jwt->claims.is_session_token);
  EXPECT_EQ(jwt->signature, "signature");
  EXPECT_EQ(text.substr(0, jwt->signed_bytes), text.substr(0, text.rfind('.')));
}

TEST(Jwt, WhatIsNotSaidIsEmptyAndNotGuessed) {
  const auto jwt = read_jwt(token(R"({"alg":"x"})", R"({"email":null,"email_verified":"true"})"));
  ASSERT_TRUE(jwt) << jwt.error().hint;
  EXPECT_FALSE(jwt->header.key_id);
  EXPECT_EQ(jwt->header.type, "");
  EXPECT_EQ(jwt->claims.issuer, "");
  EXPECT_TRUE(jwt->claims.audiences.empty());
  EXPECT_FALSE(jwt->claims.expires_at);
  EXPECT_EQ(jwt->claims.email, "");
  EXPECT_FALSE(jwt->claims.email_is_verified) << "only the JSON true is yes";
}

// Rule jwt-compact-only.
TEST(Jwt, TwoFourOrFiveSegmentsAreRefused) {
  const auto good = token(header, claims);
  ASSERT_TRUE(read_jwt(good));
  expect_refused("");
  expect_refused("..");
  expect_refused(good.substr(0, good.rfind('.')));
  expect_refused(good + "." + base64url("more"));
  expect_refused(good + "..");
  expect_refused("." + good);
  // A JWE in compact form (RFC 7516 7.1).
  expect_refused(good + "." + base64url("iv") + "." + base64url("tag"));
}

// Rule jwt-compact-only.
TEST(Jwt, AnEmptySignatureIsRefused) {
  expect_refused(token(header, claims, ""));
  expect_refused(token(R"({"alg":"none"})", claims, ""));
}

// Rule jwt-compact-only.
TEST(Jwt, TheJsonSerializationIsRefused) {
  expect_refused(R"({"payload":"e30","protected":"e30","signature":"AA"})");
  expect_refused(R"({"payload":"a.b.c","signatures":[]})");
}

// Rule jwt-compact-only.
TEST(Jwt, AnotherSpellingOfBase64urlIsRefused) {
  const auto good = token(header, claims, "ab");
  ASSERT_TRUE(read_jwt(good));
  ASSERT_EQ(good.substr(good.size() - 3), "YWI");
  expect_refused(good + "=");
  expect_refused(good.substr(0, good.size() - 1) + "J");  // unused bits that are set
  expect_refused(good + "AA");                            // an impossible length
  expect_refused(good + "\n");
  expect_refused(" " + good);
  auto standard = token(header, claims, "\xff\xff\xff");
  standard.replace(standard.size() - 4, 4, "////");
  expect_refused(standard);
}

// Rule jwt-compact-only.
TEST(Jwt, MoreThan8KiBAreRefused) {
  const auto long_claims = [](std::size_t size) {
    return "{\"x\":\"" + std::string(size, 'x') + "\"}";
  };
  EXPECT_TRUE(read_jwt(token(header, long_claims(6000))));
  expect_refused(token(header, long_claims(6200)));
  expect_refused(std::string(1 << 20, '.'));
}

// Rule jwt-compact-only.
TEST(Jwt, AMemberNamedTwiceIsRefusedInHeaderAndClaims) {
  expect_header_refused(R"({"alg":"RS256","alg":"none"})");
  expect_header_refused(R"({"alg":"RS256","kid":"a","\u006bid":"b"})");
  expect_claims_refused(R"({"iss":"i","sub":"u1","sub":"admin"})");
  expect_claims_refused(R"({"exp":1,"exp":99999999999})");
  expect_claims_refused(R"({"a":{"b":1,"b":2}})");
}

// Rule jwt-compact-only.
TEST(Jwt, WhatIsNotAJsonObjectIsRefused) {
  for (const auto* text : {"", "null", "[]", "\"eyJhbGciOiJub25lIn0.e30.\"", "12", "{", "{}x",
                           "{'alg':'RS256'}", "\xff\xfe"}) {
    expect_header_refused(text);
    expect_claims_refused(text);
  }
  expect_claims_refused("{\"a\":" + std::string(40, '[') + std::string(40, ']') + "}");
  expect_claims_refused("{\"sub\":\"\xc3\x28\"}");
}

// Rule jwt-embedded-keys-refused.
TEST(Jwt, AnEmbeddedOrLinkedKeyIsRefusedWhateverItHolds) {
  expect_header_refused(R"({"alg":"RS256","jwk":{"kty":"RSA","n":"AQAB","e":"AQAB"}})");
  expect_header_refused(R"({"alg":"RS256","jku":"https://attacker.example/jwks.json"})");
  expect_header_refused(R"({"alg":"RS256","jku":"http://169.254.169.254/latest"})");
  expect_header_refused(R"({"alg":"RS256","x5u":"https://attacker.example/cert.pem"})");
  expect_header_refused(R"({"alg":"RS256","x5c":["MIIB"]})");
  expect_header_refused(R"({"alg":"RS256","jwk":null})");
}

// Rule jwt-extensions-refused.
TEST(Jwt, CriticalExtensionsAndNestedTokensAreRefused) {
  expect_header_refused(R"({"alg":"RS256","crit":["b64"],"b64":false})");
  expect_header_refused(R"({"alg":"RS256","crit":[]})");
  expect_header_refused(R"({"alg":"RS256","b64":true})");
  expect_header_refused(R"({"alg":"RS256","cty":"JWT"})");
  expect_claims_refused(token(header, claims));
}

// Rule jwt-whole-times.
TEST(Jwt, HugeNegativeFractionalAndNonNumberTimesAreRefused) {
  for (const auto* name : {"exp", "nbf", "iat", "auth_time"}) {
    for (const auto* value : {"-1", "1.5", "1e3", "1e400", "99999999999999999999", "253402300800",
                              "9223372036854775807", "18446744073709551615", "\"1700000000\"",
                              "null", "true", "[1]", "{}"})
      expect_claims_refused("{\"" + std::string(name) + "\":" + value + "}");
    EXPECT_TRUE(read_jwt(token(header, "{\"" + std::string(name) + "\":253402300799}")));
    EXPECT_TRUE(read_jwt(token(header, "{\"" + std::string(name) + "\":0}")));
  }
}

TEST(Jwt, MembersOfTheWrongKindOrLengthAreRefused) {
  for (const auto* text :
       {R"({})", R"({"alg":1})", R"({"alg":null})", R"({"alg":["RS256"]})", R"({"alg":""})",
        R"({"alg":"RS256","kid":7})", R"({"alg":"RS256","typ":{}})"})
    expect_header_refused(text);
  expect_header_refused(R"({"alg":"RS256","kid":")" + std::string(256, 'k') + "\"}");
  for (const auto* text : {R"({"sub":5})", R"({"sub":null})", R"({"iss":["i"]})", R"({"aud":5})",
                           R"({"aud":{"a":1}})", R"({"aud":["a",5]})", R"({"aud":null})",
                           R"({"sub":"a\u0000b"})", R"({"sub":"a\nb"})", R"({"email":5})"})
    expect_claims_refused(text);
  EXPECT_TRUE(read_jwt(token(header, "{\"sub\":\"" + std::string(255, 's') + "\"}")));
  expect_claims_refused("{\"sub\":\"" + std::string(256, 's') + "\"}");
  std::string many = R"({"aud":["a")";
  for (int i = 0; i < 64; ++i) many += R"(,"a")";
  expect_claims_refused(many + "]}");
}

TEST(Jwt, AKidIsATextAndNothingElse) {
  for (const auto* kid : {"../../../../dev/null", "/etc/passwd", "' OR 1=1 --",
                          "x'; DROP TABLE keys; --", "| sleep 10", "https://attacker.example/k"}) {
    const auto jwt =
        read_jwt(token("{\"alg\":\"RS256\",\"kid\":\"" + std::string(kid) + "\"}", claims));
    ASSERT_TRUE(jwt);
    EXPECT_EQ(jwt->header.key_id, kid);
  }
}

}  // namespace
}  // namespace stagedoor::rules
