// What an issuer's policy takes and what it refuses.
#include <gtest/gtest.h>

#include "rules/issuer.h"

namespace stagedoor::rules {
namespace {

using base::ErrorCode;
using crypto::SignatureAlgorithm;
using namespace std::chrono_literals;

constexpr std::int64_t noon = 1'800'000'000;
const base::Instant now = base::from_unix_seconds(noon);

IssuerPolicy policy() {
  IssuerPolicy made;
  made.issuer = "https://id.example";
  made.audiences = {"app", "other-app"};
  made.algorithms = {SignatureAlgorithm::rs256, SignatureAlgorithm::es256};
  return made;
}
JwtHeader header(std::string algorithm, std::string type = "JWT") {
  JwtHeader made;
  made.algorithm = std::move(algorithm);
  made.key_id = "a";
  made.type = std::move(type);
  return made;
}
JwtClaims claims() {
  JwtClaims made;
  made.issuer = "https://id.example";
  made.subject = "u1";
  made.audiences = {"app"};
  made.expires_at = noon + 3600;
  made.issued_at = noon - 5;
  return made;
}
void expect_invalid(const IssuerPolicy& under, const JwtClaims& wrong) {
  const auto identity = check_claims(under, wrong, now);
  ASSERT_FALSE(identity);
  EXPECT_EQ(identity.error().code, ErrorCode::token_invalid);
  EXPECT_FALSE(identity.error().hint.empty());
}

// Rule jwt-algorithm-pinned.
TEST(Issuer, OnlyTheAlgorithmsOfThePolicyAreTaken) {
  EXPECT_EQ(check_header(policy(), header("RS256")), SignatureAlgorithm::rs256);
  EXPECT_EQ(check_header(policy(), header("ES256")), SignatureAlgorithm::es256);
  for (const auto* algorithm : {"none", "None", "NONE", "nOnE", "HS256", "HS384", "HS512", "RS384",
                                "PS256", "EdDSA", "rs256", "RS256 ", "ES256K", "A"}) {
    const auto refused = check_header(policy(), header(algorithm));
    ASSERT_FALSE(refused) << algorithm;
    EXPECT_EQ(refused.error().code, ErrorCode::token_invalid);
  }
}

// Rule jwt-claims.
TEST(Issuer, ATypForAnotherUseIsRefused) {
  for (const auto* type : {"", "JWT", "jwt"})
    EXPECT_TRUE(check_header(policy(), header("RS256", type)));
  for (const auto* type : {"at+jwt", "application/at+jwt", "dpop+jwt", "logout+jwt", "JOSE", "x"})
    EXPECT_FALSE(check_header(policy(), header("RS256", type))) << type;
  auto takes_access_tokens = policy();
  takes_access_tokens.takes_access_tokens = true;
  for (const auto* type : {"JWT", "at+jwt", "AT+JWT", "application/at+jwt"})
    EXPECT_TRUE(check_header(takes_access_tokens, header("RS256", type))) << type;
  EXPECT_FALSE(check_header(takes_access_tokens, header("RS256", "dpop+jwt")));
}

// Rule jwt-claims.
TEST(Issuer, AGoodTokenStandsForItsSubject) {
  auto good = claims();
  good.email = "ada@example.com";
  good.email_is_verified = true;
  good.generation = 4;
  const auto identity = check_claims(policy(), good, now);
  ASSERT_TRUE(identity);
  EXPECT_EQ(identity->issuer, "https://id.example");
  EXPECT_EQ(identity->subject, "u1");
  EXPECT_EQ(identity->email, "ada@example.com");
  EXPECT_TRUE(identity->email_is_verified);
  EXPECT_EQ(identity->issued_at, now - 5s);
  EXPECT_EQ(identity->expires_at, now + 1h);
  EXPECT_EQ(identity->generation, 0) << "nobody else may say what our accounts' generation is";
  auto ours = policy();
  ours.is_our_own = true;
  EXPECT_EQ(check_claims(ours, good, now)->generation, 4);
}

// Rule jwt-claims.
TEST(Issuer, TheIssuerIsComparedToTheLetter) {
  for (const auto* issuer : {"", "https://id.example/", "https://ID.example", "http://id.example",
                             "https://id.example.attacker.example"}) {
    auto wrong = claims();
    wrong.issuer = issuer;
    expect_invalid(policy(), wrong);
  }
}

// Rule jwt-claims.
TEST(Issuer, OneOfTheAudiencesMustBeOurs) {
  auto several = claims();
  several.audiences = {"foreign", "other-app"};
  EXPECT_TRUE(check_claims(policy(), several, now));
  for (auto audiences : {std::vector<std::string>{}, {"foreign"}, {""}, {"APP"}, {"app "}}) {
    auto wrong = claims();
    wrong.audiences = audiences;
    expect_invalid(policy(), wrong);
  }
}

// Rule jwt-claims.
TEST(Issuer, ATokenWithoutSubjectOrExpiryIsRefused) {
  auto nobody = claims();
  nobody.subject.clear();
  expect_invalid(policy(), nobody);
  auto forever = claims();
  forever.expires_at.reset();
  expect_invalid(policy(), forever);
}

// Rule jwt-claims.
TEST(Issuer, ATokenHasExpiredAtTheVerySecondOfItsExp) {
  auto token = claims();
  token.expires_at = noon;
  const auto expired = check_claims(policy(), token, now);
  ASSERT_FALSE(expired);
  EXPECT_EQ(expired.error().code, ErrorCode::token_expired);
  EXPECT_TRUE(check_claims(policy(), token, now - 1ms));
  EXPECT_TRUE(check_expiry(*check_claims(policy(), token, now - 1ms), now - 1ms));
  EXPECT_FALSE(check_expiry(*check_claims(policy(), token, now - 1ms), now));
}

// Rule jwt-claims.
TEST(Issuer, NbfAndIatMayBeAMinuteAheadAndNoMore) {
  for (auto member : {&JwtClaims::not_before, &JwtClaims::issued_at}) {
    auto token = claims();
    token.*member = noon + 60;
    EXPECT_TRUE(check_claims(policy(), token, now));
    token.*member = noon + 61;
    expect_invalid(policy(), token);
  }
}

// Rule jwt-firebase-preset.
TEST(Firebase, ThePresetIsTheThirdSeedsRules) {
  const auto firebase = firebase_policy("avatarium-prod");
  ASSERT_TRUE(firebase);
  EXPECT_TRUE(check_policy(*firebase));
  EXPECT_EQ(firebase->issuer, "https://securetoken.google.com/avatarium-prod");
  EXPECT_EQ(firebase->audiences, std::vector<std::string>{"avatarium-prod"});

  auto good = claims();
  good.issuer = firebase->issuer;
  good.audiences = firebase->audiences;
  good.authenticated_at = noon - 100;
  EXPECT_TRUE(check_claims(*firebase, good, now));
  EXPECT_TRUE(check_header(*firebase, header("RS256")));

  for (const auto* algorithm : {"RS384", "ES256", "EdDSA", "HS256", "none"})
    EXPECT_FALSE(check_header(*firebase, header(algorithm))) << algorithm;
  auto nameless = header("RS256");
  nameless.key_id.reset();
  EXPECT_FALSE(check_header(*firebase, nameless));
  nameless.key_id = "";
  EXPECT_FALSE(check_header(*firebase, nameless));

  auto other_project = good;
  other_project.issuer = "https://securetoken.google.com/another-project";
  expect_invalid(*firebase, other_project);
  auto other_audience = good;
  other_audience.audiences = {"another-project"};
  expect_invalid(*firebase, other_audience);
  auto expired = good;
  expired.expires_at = noon - 1;
  EXPECT_EQ(check_claims(*firebase, expired, now).error().code, ErrorCode::token_expired);
  auto nobody = good;
  nobody.subject.clear();
  expect_invalid(*firebase, nobody);
  for (auto member : {&JwtClaims::issued_at, &JwtClaims::authenticated_at}) {
    auto wrong = good;
    (wrong.*member).reset();
    expect_invalid(*firebase, wrong);
    wrong.*member = noon + 3600;
    expect_invalid(*firebase, wrong);
  }
}

TEST(Firebase, WhatIsNoProjectIdMakesNoPolicy) {
  for (const auto* project :
       {"", "short", "Upper-case", "1-digit-first", "with/slash", "with space"})
    EXPECT_FALSE(firebase_policy(project)) << project;
  EXPECT_FALSE(firebase_policy(std::string(31, 'a')));
}

TEST(Issuer, APolicyThatSaysTooLittleIsRefused) {
  EXPECT_TRUE(check_policy(policy()));
  auto nameless = policy();
  nameless.issuer.clear();
  EXPECT_FALSE(check_policy(nameless));
  auto for_nobody = policy();
  for_nobody.audiences.clear();
  EXPECT_FALSE(check_policy(for_nobody));
  auto for_blank = policy();
  for_blank.audiences = {""};
  EXPECT_FALSE(check_policy(for_blank));
  auto unsigned_tokens = policy();
  unsigned_tokens.algorithms.clear();
  EXPECT_FALSE(check_policy(unsigned_tokens));
}

}  // namespace
}  // namespace stagedoor::rules
