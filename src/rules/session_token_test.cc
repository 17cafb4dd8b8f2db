#include "rules/session_token.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <span>
#include <tuple>

#include "base/json.h"
#include "base/text.h"
#include "crypto/hash.h"
#include "rules/server_secret.h"
#include "rules/token_keys.h"

namespace stagedoor::rules {
namespace {

using base::ErrorCode;
using namespace std::chrono_literals;

const base::Instant now = base::from_unix_seconds(1'795'000'000);

SessionToken token() {
  return {
      .id = {1, 2, 3},
      .issuer = "stagedoor",
      .subject = "user \"7\"",
      .account_id = "ws_1",
      .app_id = "app_1",
      .api_key_id = "key_0000000000000001",
      .region = "us-west",
      .environment = Environment::test,
      .avatar_id = "c5c36979-4d4e-4337-a6b7-70b35196048e",
      .issued_at = now,
      .expires_at = now + 600s,
      .uses_max = 2,
      .leash = {.connect_by = now + 60s, .length_max = 3600s, .idle_max = 30s, .sessions_max = 9}};
}

std::vector<base::Secret> secrets(std::initializer_list<char> fills) {
  std::vector<base::Secret> list;
  for (const char fill : fills) list.emplace_back(std::string(32, fill));
  return list;
}

TokenKeys keys(std::initializer_list<char> fills,
               TokenAlgorithm algorithm = TokenAlgorithm::hs256) {
  return TokenKeys(secrets(fills), algorithm);
}

std::string with_header(std::string_view text, std::string_view json_header) {
  return base::base64url(json_header) + std::string(text.substr(text.find('.')));
}

ErrorCode refusal(const TokenKeys& believed, std::string_view text) {
  const auto verified = believed.verify(text);
  return verified ? ErrorCode::not_found : verified.error().code;
}

TEST(SessionToken, IdsOfOneTimeStandTogetherAndDifferInTheirRandomPart) {
  class Counting : public base::Random {
   public:
    void fill(std::span<std::uint8_t> out) override { std::ranges::fill(out, next_--); }

   private:
    std::uint8_t next_ = 255;
  } random;
  const auto first = new_session_token_id(random, now);
  const auto second = new_session_token_id(random, now);
  const auto later = new_session_token_id(random, now + 1ms);
  EXPECT_TRUE(std::ranges::equal(std::span(first).first(6), std::span(second).first(6)));
  EXPECT_NE(first, second);
  EXPECT_LT(first, later);
  EXPECT_LT(second, later);
}

TEST(SessionToken, ItsClaimsComeBackAsTheyWere) {
  EXPECT_EQ(read_claims(claims_json(token())), token());
  auto unbound = token();
  unbound.avatar_id.clear();
  EXPECT_EQ(read_claims(claims_json(unbound)), unbound);
}

SessionToken rich_token() {
  auto rich = token();
  rich.regions = {"us-west", "eu"};
  rich.allowed_origins = {"https://a.example", "http://localhost:8080"};
  rich.metadata = R"({"room":"\"7\"","n":[1,2.5,{}],"é":null})";
  rich.leash.warning_before = 60s;
  return rich;
}

TEST(SessionToken, WhatFewTokensCarryComesBackAsItWas) {
  EXPECT_EQ(read_claims(claims_json(rich_token())), rich_token());
}

TEST(SessionToken, OddRareClaimsAreRefused) {
  for (const auto& [from, to] : {std::pair{"\"regions\":[", "\"regions\":[1,"},
                                 {"\"origins\":[\"https://a.example\",", "\"origins\":[{},"},
                                 {"\"warn\":60", "\"warn\":-60"},
                                 {"\"warn\":60", "\"warn\":\"60\""},
                                 {"\"meta\":{", "\"meta\":[],\"x\":{"}}) {
    auto odd = claims_json(rich_token());
    const auto at = odd.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    odd.replace(at, std::string_view(from).size(), to);
    EXPECT_FALSE(read_claims(odd)) << odd;
  }
}

TEST(SessionToken, ItsIdTellsWhenItWasMintedToTheMillisecond) {
  class Zeros : public base::Random {
   public:
    void fill(std::span<std::uint8_t> out) override { std::ranges::fill(out, 0); }
  } random;
  EXPECT_EQ(minted_at(new_session_token_id(random, now + 123ms)), now + 123ms);
}

// Rule session-token-origins.
TEST(SessionToken, OriginsThatAreListedMayUseItAndNoOthers) {
  const auto listed = rich_token();
  const auto may = [](const SessionToken& one, std::optional<std::string_view> origin,
                      UnlistedOrigins unlisted) {
    const auto checked = check_origin(one, origin, unlisted);
    EXPECT_TRUE(checked || checked.error().code == ErrorCode::forbidden);
    return checked.has_value();
  };
  for (const auto setting : {UnlistedOrigins::any, UnlistedOrigins::none}) {
    EXPECT_TRUE(may(listed, "https://a.example", setting));
    EXPECT_TRUE(may(listed, "http://localhost:8080", setting));
    for (const auto* other :
         {"https://b.example", "http://a.example", "https://a.example.b.example",
          "https://a.example:444", "null", "", "https://A.example"})
      EXPECT_FALSE(may(listed, other, setting)) << other;
    EXPECT_FALSE(may(listed, std::nullopt, setting));
    EXPECT_TRUE(may(token(), std::nullopt, setting));
  }
  EXPECT_TRUE(may(token(), "https://b.example", UnlistedOrigins::any));
  EXPECT_FALSE(may(token(), "https://b.example", UnlistedOrigins::none));
}

TEST(SessionToken, AnOriginIsWhatABrowserSends) {
  for (const auto* good : {"https://a.example", "http://localhost:8080", "http://[::1]:80",
                           "chrome-extension://abc", "http://192.0.2.7"})
    EXPECT_TRUE(is_origin(good)) << good;
  for (const auto* odd : {"", "null", "a.example", "https://", "://a", "https://a.example/",
                          "https://A.example", "https://a.example/x", "https://u@a.example", "*",
                          "https://*.example", "https://a b", "1http://a"})
    EXPECT_FALSE(is_origin(odd)) << odd;
}

// Rule session-token-regions.
TEST(SessionToken, RegionsThatAreListedAreTheOnlyOnes) {
  EXPECT_TRUE(check_region(rich_token(), "eu"));
  EXPECT_EQ(check_region(rich_token(), "asia").error().code, ErrorCode::forbidden);
  EXPECT_TRUE(check_region(token(), "asia"));
}

TEST(SessionToken, CarriesTheClaimsOfTheContract) {
  base::JsonReader reader;
  const auto json = claims_json(token());
  const auto claims = reader.read(json);
  ASSERT_TRUE(claims);
  for (const auto* name : {"iss", "aud", "sub", "jti", "iat", "nbf", "exp", "app", "region", "type",
                           "accountId", "leash"})
    EXPECT_TRUE(claims->member(name)) << name;
}

// Rule session-token-no-persona.
TEST(SessionToken, HasNoMemberForWhatAPersonaSays) {
  const auto json = claims_json(token());
  for (const auto* word : {"persona", "prompt", "name"})
    EXPECT_EQ(json.find(word), std::string::npos) << word;
}

TEST(SessionToken, AMissingOrOddClaimIsRefused) {
  const auto json = claims_json(token());
  EXPECT_FALSE(read_claims("{}"));
  EXPECT_FALSE(read_claims("[]"));
  EXPECT_FALSE(read_claims(""));
  for (const auto& [from, to] : {std::pair{"\"aud\":\"motion-server\"", "\"aud\":\"other\""},
                                 {"\"type\":\"session\"", "\"type\":\"id\""},
                                 {"\"exp\":", "\"exq\":"},
                                 {"\"uses\":2", "\"uses\":\"2\""},
                                 {"\"env\":\"test\"", "\"env\":\"prod\""},
                                 {"\"idle\":30", "\"idle\":-30"},
                                 {"\"exp\":1795000600", "\"exp\":99999999999999"},
                                 {"\"leash\":{", "\"leesh\":{"}}) {
    auto odd = json;
    const auto at = odd.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    odd.replace(at, std::string_view(from).size(), to);
    const auto read = read_claims(odd);
    ASSERT_FALSE(read) << odd;
    EXPECT_EQ(read.error().code, ErrorCode::unauthenticated);
  }
}

// Rule session-token-lifetime.
TEST(SessionToken, MayLastFromNowExcludedToADayIncluded) {
  EXPECT_FALSE(check_lifetime(now - 1s, now));
  EXPECT_FALSE(check_lifetime(now, now));
  EXPECT_TRUE(check_lifetime(now + 1ms, now));
  EXPECT_TRUE(check_lifetime(now + 24h, now));
  EXPECT_FALSE(check_lifetime(now + 24h + 1ms, now));
}

// Rule session-token-lifetime.
TEST(SessionToken, IsRefusedAtTheVeryInstantItExpires) {
  auto lasting = token();
  lasting.leash.connect_by = lasting.expires_at + 1h;
  EXPECT_TRUE(check_time(lasting, lasting.expires_at - 1ms));
  EXPECT_EQ(check_time(lasting, lasting.expires_at).error().code, ErrorCode::token_expired);
}

// Rule leash-connect-by.
TEST(SessionToken, IsRefusedOnceItsConnectByHasPassed) {
  EXPECT_TRUE(check_time(token(), token().leash.connect_by - 1ms));
  EXPECT_EQ(check_time(token(), token().leash.connect_by).error().code, ErrorCode::token_expired);
}

TEST(SessionToken, OfAClockThatRunsFarAheadIsNotValidYet) {
  EXPECT_TRUE(check_time(token(), now - 30s));
  EXPECT_EQ(check_time(token(), now - 31s).error().code, ErrorCode::unauthenticated);
}

TEST(TokenKeys, VerifyGivesBackWhatWasSigned) {
  for (const auto algorithm : {TokenAlgorithm::hs256, TokenAlgorithm::eddsa}) {
    const auto own = keys({'a'}, algorithm);
    EXPECT_EQ(own.verify(own.sign("{\"x\":1}")), "{\"x\":1}");
  }
}

// Rule session-token-two-generations.
TEST(TokenKeys, WhatThePreviousSecretSignedIsBelievedAndTheOneBeforeItIsNot) {
  const auto old_token = keys({'a'}).sign("{}");
  EXPECT_TRUE(keys({'b', 'a'}).verify(old_token));
  EXPECT_FALSE(keys({'c', 'b'}).verify(old_token));
}

// Rule session-token-two-generations.
TEST(TokenKeys, AChangeOfTheAlgorithmKeepsEarlierTokens) {
  const auto old_token = keys({'a'}, TokenAlgorithm::hs256).sign("{}");
  EXPECT_TRUE(keys({'a'}, TokenAlgorithm::eddsa).verify(old_token));
}

// Rule server-secret-rotates.
TEST(ServerSecret, DerivesDifferentKeysForDifferentUses) {
  const ServerSecret one(base::Secret(std::string(32, 'a')));
  const ServerSecret two(base::Secret(std::string(32, 'b')));
  EXPECT_NE(one.api_key_hashing().mac("x"), two.api_key_hashing().mac("x"));
  EXPECT_NE(crypto::HmacKey(one.token_secret()).mac("x"), one.api_key_hashing().mac("x"));
}

// Rule session-token-algorithm-pinned.
TEST(TokenKeys, NoSpellingOfTheNoneAlgorithmIsBelieved) {
  const auto own = keys({'a'});
  const auto good = own.sign("{}");
  for (const auto* algorithm : {"none", "None", "NONE", "nOnE", ""}) {
    const auto header = "{\"alg\":\"" + std::string(algorithm) + "\",\"typ\":\"JWT\"}";
    const auto payload = base::base64url("{}");
    EXPECT_EQ(refusal(own, base::base64url(header) + "." + payload + "."),
              ErrorCode::unauthenticated);
    EXPECT_EQ(refusal(own, with_header(good, header)), ErrorCode::unauthenticated);
  }
}

// Rule session-token-algorithm-pinned.
TEST(TokenKeys, ATokenResignedWithAPublicKeyAsHmacSecretIsRefused) {
  const auto own = keys({'a'}, TokenAlgorithm::eddsa);
  const auto good = own.sign("{}");
  const auto header = std::string(good.substr(0, good.find('.')));
  const auto input = header + "." + base::base64url("{\"uses\":9}");
  // RS256/HS256 confusion: the verifier's own EdDSA header, with an HMAC under known bytes.
  for (const auto& guess : {std::string(32, 'a'), std::string(32, '\0'), header}) {
    const auto mac = crypto::HmacKey(base::Secret(guess)).mac(input);
    EXPECT_EQ(refusal(own, input + "." + base::base64url(base::as_text(mac))),
              ErrorCode::unauthenticated);
  }
}

// Rule session-token-algorithm-pinned.
TEST(TokenKeys, AHeaderWithAnEmbeddedOrLinkedKeyIsNotRead) {
  const auto own = keys({'a'});
  const auto good = own.sign("{}");
  const auto text = *base::from_base64url(good.substr(0, good.find('.')));
  for (const auto* extra :
       {",\"jwk\":{\"kty\":\"oct\",\"k\":\"AA\"}}", ",\"jku\":\"http://evil.example/\"}",
        ",\"x5u\":\"x\"}", ",\"crit\":[\"exp\"]}", ",\"kid\":\"../../dev/null\"}", " }"}) {
    auto header = text;
    header.replace(header.size() - 1, 1, extra);
    EXPECT_EQ(refusal(own, with_header(good, header)), ErrorCode::unauthenticated) << extra;
  }
}

TEST(TokenKeys, AForgedCutOrRespelledTokenIsRefused) {
  const auto own = keys({'a'});
  const auto good = own.sign("{\"a\":1}");
  ASSERT_TRUE(own.verify(good));
  for (std::size_t length = 0; length < good.size(); ++length)
    EXPECT_FALSE(own.verify(good.substr(0, length))) << length;
  for (std::size_t at = 0; at < good.size(); ++at) {
    auto changed = good;
    changed[at] = changed[at] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(own.verify(changed)) << at;
  }
  EXPECT_FALSE(own.verify(good + "="));
  EXPECT_FALSE(own.verify(good + ".x"));
  EXPECT_FALSE(own.verify("." + good));
  EXPECT_FALSE(keys({'b'}).verify(good));
  EXPECT_FALSE(own.verify(std::string(5000, 'a')));
}

}  // namespace
}  // namespace stagedoor::rules
