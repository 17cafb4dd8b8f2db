// Attacks on people's tokens by name, against real keys; none gets in, and good tokens do.
#include <gtest/gtest.h>

#include <functional>

#include "actions/verify_identity.h"
#include "base/text.h"
#include "crypto/random.h"
#include "crypto/signer_for_test.h"
#include "rules/token_keys.h"

namespace stagedoor::actions {
namespace {

using base::base64url;
using base::ErrorCode;
using crypto::SignatureAlgorithm;
using crypto::TestSigner;
using rules::FixedKeys;
using rules::IssuerPolicy;
using rules::JwkSet;
using enum crypto::SignatureAlgorithm;
using namespace std::chrono_literals;

constexpr std::int64_t noon = 1'800'000'000;
const base::Instant now = base::from_unix_seconds(noon);

struct Signers {
  TestSigner rsa = TestSigner::rsa(), other_rsa = TestSigner::rsa(), p256 = TestSigner::p256(),
             ed = TestSigner::ed25519();
};
const Signers& signers() {
  static const Signers made;
  return made;
}

JwkSet set_of(const std::string& keys) {
  return JwkSet::parse("{\"keys\":[" + keys + "]}").value();
}

// Two foreign issuers, one with RSA and one with EC keys, and our own with Ed25519.
class Verify : public testing::Test {
 protected:
  static IssuerPolicy policy(std::string issuer, SignatureAlgorithm algorithm) {
    IssuerPolicy made;
    made.issuer = std::move(issuer);
    made.audiences = {"app"};
    made.algorithms = {algorithm};
    return made;
  }
  static IssuerPolicy ours() {
    auto made = policy("stagedoor", eddsa);
    made.is_our_own = true;
    return made;
  }
  static std::string claims(std::string_view issuer = "https://rsa.example",
                            std::int64_t expires_at = noon + 3600, std::string_view more = "") {
    return "{\"iss\":\"" + std::string(issuer) +
           "\",\"sub\":\"u1\",\"aud\":\"app\",\"exp\":" + std::to_string(expires_at) +
           std::string(more) + "}";
  }
  static std::string good() {
    return signers().rsa.token(rs256, R"({"alg":"RS256","kid":"r"})", claims());
  }
  static std::string with_header(std::string_view header) {
    return signers().rsa.token(rs256, header, claims());
  }
  static std::string hmac_token(std::string_view header, std::string_view key,
                                std::string_view payload) {
    auto text = base64url(header) + "." + base64url(payload);
    const auto mac = crypto::HmacKey(base::Secret(key)).mac(text);
    return text + "." + base64url(base::as_text(mac));
  }
  void expect_invalid(const std::string& token) {
    const auto known = verify.at_once(token, now);
    if (known) {
      ASSERT_FALSE(*known) << token;
      EXPECT_EQ(known->error().code, ErrorCode::token_invalid) << token;
    }
    const auto identity = verify.verify(token, now);
    ASSERT_FALSE(identity) << token;
    EXPECT_EQ(identity.error().code, ErrorCode::token_invalid) << token;
    EXPECT_FALSE(identity.error().hint.empty());
  }

  crypto::SystemRandom random;
  FixedKeys rsa_keys{set_of(signers().rsa.jwk(R"(,"kid":"r")"))};
  FixedKeys ec_keys{set_of(signers().p256.jwk(R"(,"kid":"e")"))};
  FixedKeys our_keys{set_of(signers().ed.jwk(R"(,"kid":"o")"))};
  VerifyIdentity verify{{{policy("https://rsa.example", rs256), rsa_keys},
                         {policy("https://ec.example", es256), ec_keys},
                         {ours(), our_keys}},
                        random,
                        {.remembered_max = 256}};
};

TEST_F(Verify, AGoodTokenOfEachIssuerIsBelieved) {
  const auto rsa = verify.verify(good(), now);
  ASSERT_TRUE(rsa) << rsa.error().detail;
  EXPECT_EQ(rsa->issuer, "https://rsa.example");
  EXPECT_EQ(rsa->subject, "u1");
  EXPECT_EQ(rsa->expires_at, now + 1h);
  const auto ec = verify.verify(
      signers().p256.token(es256, R"({"alg":"ES256","kid":"e"})", claims("https://ec.example")),
      now);
  ASSERT_TRUE(ec) << ec.error().detail;
  const auto own =
      verify.verify(signers().ed.token(eddsa, R"({"alg":"EdDSA","kid":"o","typ":"JWT"})",
                                       claims("stagedoor", noon + 60, ",\"gen\":3")),
                    now);
  ASSERT_TRUE(own) << own.error().detail;
  EXPECT_EQ(own->generation, 3);
}

// Rule jwt-algorithm-pinned. CVE-2015-2951.
TEST_F(Verify, AlgNoneInEverySpellingIsRefused) {
  for (const auto* none : {"none", "None", "NONE", "nOnE", "noNe", "none ", "\\u006eone", ""}) {
    const auto header = "{\"alg\":\"" + std::string(none) + "\",\"kid\":\"r\"}";
    expect_invalid(base64url(header) + "." + base64url(claims()) + ".");
    expect_invalid(base64url(header) + "." + base64url(claims()) + ".AA");
    expect_invalid(with_header(header));
  }
}

// Rule jwt-algorithm-pinned. CVE-2016-10555.
TEST_F(Verify, APublicKeyIsNeverTakenForAnHmacKey) {
  const auto jwk = signers().rsa.jwk();
  for (const auto* algorithm : {"HS256", "RS256", "HS512"})
    for (const auto& key : {jwk, signers().rsa.jwk(R"(,"kid":"r")"), std::string("secret")})
      expect_invalid(
          hmac_token("{\"alg\":\"" + std::string(algorithm) + "\",\"kid\":\"r\"}", key, claims()));
}

// CVE-2019-20933.
TEST_F(Verify, AnHmacUnderABlankPasswordIsRefused) {
  expect_invalid(hmac_token(R"({"alg":"HS256","kid":"r"})", "", claims()));
  expect_invalid(hmac_token(R"({"alg":"HS256"})", "", claims("stagedoor")));
}

// CVE-2020-28042.
TEST_F(Verify, ANullOrEmptySignatureIsRefused) {
  const auto token = good();
  const auto input = token.substr(0, token.rfind('.') + 1);
  expect_invalid(input);
  expect_invalid(input + "AA");
  expect_invalid(input + base64url("null"));
  expect_invalid(input + base64url(std::string(256, '\0')));
}

// Rule jwt-embedded-keys-refused. CVE-2018-0114.
TEST_F(Verify, AKeyThatTheTokenBringsItselfIsRefused) {
  const auto& attacker = signers().other_rsa;
  const auto sign = [&](const std::string& header) {
    return attacker.token(rs256, header, claims());
  };
  expect_invalid(sign("{\"alg\":\"RS256\",\"jwk\":" + attacker.jwk() + "}"));
  expect_invalid(sign("{\"alg\":\"RS256\",\"kid\":\"r\",\"jwk\":" + attacker.jwk() + "}"));
  expect_invalid(sign(R"({"alg":"RS256","kid":"r","jku":"https://attacker.example/jwks"})"));
  expect_invalid(sign(R"({"alg":"RS256","kid":"r","x5u":"https://attacker.example/x"})"));
  expect_invalid(sign(R"({"alg":"RS256","kid":"r","x5c":["MIIB"]})"));
  expect_invalid(sign(R"({"alg":"RS256","kid":"r"})"));
  // Refused even where the signature is good.
  expect_invalid(with_header(R"({"alg":"RS256","kid":"r","jku":"https://rsa.example/jwks"})"));
}

TEST_F(Verify, AKidThatIsAPathASqlTextACommandOrVeryLongNamesNoKey) {
  for (const auto& kid :
       {std::string("../../../../../dev/null"), std::string("/proc/sys/kernel/randomize_va_space"),
        std::string("r' UNION SELECT 'key'; --"), std::string("r\\\" OR 1=1"),
        std::string("|/bin/sleep 5"), std::string("r\\u0000"), std::string("R"), std::string("r "),
        std::string(255, 'r'), std::string(6000, 'r'), std::string()}) {
    const auto header = "{\"alg\":\"RS256\",\"kid\":\"" + kid + "\"}";
    expect_invalid(with_header(header));
    expect_invalid(hmac_token(header, "", claims()));
  }
}

// CVE-2022-21449.
TEST_F(Verify, PsychicSignaturesAreRefused) {
  const auto input =
      base64url(R"({"alg":"ES256","kid":"e"})") + "." + base64url(claims("https://ec.example"));
  const auto order_bytes =
      base::from_hex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551").value();
  const std::string order(base::as_text(order_bytes)), zero(32, '\0');
  for (const auto& signature : {zero + zero, order + order, zero + order, order + zero})
    expect_invalid(input + "." + base64url(signature));
  // DER where r || s belongs.
  expect_invalid(input + "." + base64url(signers().p256.sign_der(es256, input)));
  EXPECT_TRUE(verify.verify(input + "." + base64url(signers().p256.sign(es256, input)), now));
}

// Rule jwt-compact-only.
TEST_F(Verify, AnotherSpellingOfAGoodTokenIsRefused) {
  ASSERT_TRUE(verify.verify(good(), now));
  expect_invalid(good() + "=");
  expect_invalid(good() + ".");
  expect_invalid(good() + "\n");
  expect_invalid("Bearer " + good());
  auto spaced = good();
  spaced.insert(10, " ");
  expect_invalid(spaced);
  // 256 bytes end in a character with four unused bits; every other one than the proper is refused.
  const auto token = good();
  const std::string digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  for (const char last : digits)
    if (last != token.back()) expect_invalid(token.substr(0, token.size() - 1) + last);
}

// Rule jwt-compact-only.
TEST_F(Verify, SignedTextsWithMembersNamedTwiceAreRefused) {
  const auto& rsa = signers().rsa;
  expect_invalid(rsa.token(rs256, R"({"alg":"RS256","kid":"r","alg":"none"})", claims()));
  expect_invalid(rsa.token(rs256, R"({"alg":"RS256","kid":"r"})",
                           claims("https://rsa.example", noon + 9, R"(,"sub":"admin")")));
}

// Rule jwt-extensions-refused.
TEST_F(Verify, SignedTextsWithCritOrANestedTokenAreRefused) {
  expect_invalid(with_header(R"({"alg":"RS256","kid":"r","crit":["exp"]})"));
  expect_invalid(with_header(R"({"alg":"RS256","kid":"r","b64":true})"));
  expect_invalid(signers().rsa.token(rs256, R"({"alg":"RS256","kid":"r","cty":"JWT"})", good()));
  expect_invalid(signers().rsa.token(rs256, R"({"alg":"RS256","kid":"r"})", good()));
}

TEST_F(Verify, TheKeyOfOneIssuerVerifiesNothingOfAnother) {
  expect_invalid(
      signers().rsa.token(rs256, R"({"alg":"RS256","kid":"r"})", claims("https://ec.example")));
  expect_invalid(signers().p256.token(es256, R"({"alg":"ES256","kid":"e"})", claims()));
  expect_invalid(signers().ed.token(eddsa, R"({"alg":"EdDSA","kid":"o"})", claims()));
  expect_invalid(signers().rsa.token(rs256, R"({"alg":"RS256","kid":"r"})",
                                     claims("https://unknown.example")));
  expect_invalid(signers().rsa.token(rs256, R"({"alg":"RS256","kid":"r"})", R"({"sub":"u1"})"));
}

// Rule jwt-claims.
TEST_F(Verify, GenuineTokensWithClaimsThatDoNotHoldAreRefused) {
  const auto sign = [](const std::string& payload) {
    return signers().rsa.token(rs256, R"({"alg":"RS256","kid":"r"})", payload);
  };
  const std::string rest = R"("iss":"https://rsa.example","sub":"u1","aud":"app")";
  expect_invalid(sign("{" + rest + "}"));                                       // no exp
  expect_invalid(sign("{" + rest + R"(,"exp":99999999999999})"));               // huge
  expect_invalid(sign("{" + rest + R"(,"exp":1800003600.5})"));                 // fractional
  expect_invalid(sign("{" + rest + R"(,"exp":"1800003600"})"));                 // a text
  expect_invalid(sign("{" + rest + R"(,"exp":1800003600,"nbf":1800003000})"));  // not yet
  expect_invalid(sign("{" + rest + R"(,"exp":1800003600,"iat":1800003000})"));
  expect_invalid(sign(R"({"iss":"https://rsa.example","sub":"","aud":"app","exp":1800003600})"));
  expect_invalid(sign(R"({"iss":"https://rsa.example","sub":"u","aud":["x"],"exp":1800003600})"));
  expect_invalid(with_header(R"({"alg":"RS256","kid":"r","typ":"at+jwt"})"));
  EXPECT_TRUE(verify.verify(
      sign(R"({"iss":"https://rsa.example","sub":"u","aud":["x","app"],"exp":1800003600})"), now));
}

// Rule jwt-expired-only-if-genuine.
TEST_F(Verify, ThatATokenHasExpiredIsToldOfGenuineTokensOnly) {
  const auto expired = claims("https://rsa.example", noon);
  const auto genuine = signers().rsa.token(rs256, R"({"alg":"RS256","kid":"r"})", expired);
  EXPECT_FALSE(verify.at_once(genuine, now)) << "nothing is known of it yet";
  const auto answer = verify.verify(genuine, now);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::token_expired);
  expect_invalid(signers().other_rsa.token(rs256, R"({"alg":"RS256","kid":"r"})", expired));
  auto changed = genuine;
  changed.back() = changed.back() == 'A' ? 'Q' : 'A';
  expect_invalid(changed);
  // Expired, and for somebody else: what is wrong besides is what is told.
  expect_invalid(
      signers().rsa.token(rs256, R"({"alg":"RS256","kid":"r"})",
                          R"({"iss":"https://rsa.example","sub":"u","aud":"x","exp":1})"));
}

// Rule jwt-no-session-token.
TEST_F(Verify, ASessionTokenIsToldThatItCantCallTheApi) {
  for (const std::string type : {"session", "ephemeral", "stateful"}) {
    const std::string payload =
        R"({"type":")" + type +
        R"(","aud":"motion-server","iss":"stagedoor","sub":"app_1","exp":1800003600})";
    std::vector<base::Secret> secrets;
    secrets.emplace_back(std::string(32, 's'));
    for (const auto algorithm : {rules::TokenAlgorithm::hs256, rules::TokenAlgorithm::eddsa}) {
      const auto token = rules::TokenKeys(secrets, algorithm).sign(payload);
      const auto answer = verify.at_once(token, now);
      ASSERT_TRUE(answer) << "no worker is needed for this";
      ASSERT_FALSE(*answer);
      EXPECT_EQ(answer->error().code, ErrorCode::token_invalid);
      EXPECT_NE(answer->error().hint.find("opens a session and can't call the API"),
                std::string::npos);
    }
  }
}

// Rule jwt-cache-rechecked.
TEST_F(Verify, AVerifiedTokenIsKnownAtOnceUntilItExpires) {
  const auto token = good();
  EXPECT_FALSE(verify.at_once(token, now));
  ASSERT_TRUE(verify.verify(token, now));
  const auto known = verify.at_once(token, now + 59min);
  ASSERT_TRUE(known);
  ASSERT_TRUE(*known);
  EXPECT_EQ((*known)->subject, "u1");
  const auto expired = verify.at_once(token, now + 1h);
  ASSERT_TRUE(expired);
  ASSERT_FALSE(*expired);
  EXPECT_EQ(expired->error().code, ErrorCode::token_expired);
  // What differs in one character is another token.
  auto other = token;
  other[5] = other[5] == 'a' ? 'b' : 'a';
  const auto unknown = verify.at_once(other, now);
  EXPECT_TRUE(!unknown || !*unknown);
}

// Rule jwt-cache-rechecked.
TEST_F(Verify, WhenTheIssuerTakesAKeyBackItsVerifiedTokensAreForgotten) {
  const auto token = good();
  ASSERT_TRUE(verify.verify(token, now));
  ASSERT_TRUE(verify.at_once(token, now));
  rsa_keys.replace(set_of(signers().other_rsa.jwk(R"(,"kid":"r2")")));
  EXPECT_FALSE(verify.at_once(token, now));
  expect_invalid(token);
}

// An issuer whose keys change while a token is being verified.
class ChangingKeys : public rules::IssuerKeys {
 public:
  std::uint64_t generation(base::Instant) override { return current; }
  base::Result<rules::BelievedKeys> keys_for(const rules::JwtHeader&, SignatureAlgorithm,
                                             base::Instant) override {
    const rules::BelievedKeys keys{.set = set, .generation = current};
    during();
    return keys;
  }
  std::shared_ptr<const JwkSet> set =
      std::make_shared<JwkSet>(set_of(signers().rsa.jwk(R"(,"kid":"r")")));
  std::uint64_t current = 1;
  std::function<void()> during = [] {};
};

// Rule jwt-cache-rechecked.
TEST_F(Verify, AVerificationUnderWayDoesNotOutliveTheKeysThatItBeganWith) {
  ChangingKeys keys;
  VerifyIdentity slow({{policy("https://rsa.example", rs256), keys}}, random, {});
  keys.during = [&] { keys.current = 2; };
  ASSERT_TRUE(slow.verify(good(), now)) << "it was genuine when it came";
  EXPECT_FALSE(slow.at_once(good(), now)) << "but is not remembered for the new keys";
  keys.during = [] {};
  ASSERT_TRUE(slow.verify(good(), now));
  EXPECT_TRUE(slow.at_once(good(), now));
}

TEST(VerifiedTokens, TheTableIsBoundedAndKeepsWhatIsShownAgain) {
  crypto::SystemRandom random;
  VerifiedTokens tokens(64 * 4, 100, random);
  const auto token_of = [](int i) { return std::to_string(i); };
  const VerifiedTokens::Entry entry{.identity = {}, .issuer = 0, .generation = 1};
  tokens.keep(token_of(-1), entry);
  for (int i = 0; i < 10'000; ++i) {
    tokens.keep(token_of(i), entry);
    EXPECT_TRUE(tokens.find(token_of(-1))) << i;
  }
  EXPECT_LE(tokens.size(), 64u * 4);
  EXPECT_GT(tokens.size(), 64u * 3);
  EXPECT_TRUE(tokens.find(token_of(9'999)));
}

TEST(VerifiedTokens, AnEarlierGenerationNeverReplacesALaterOne) {
  crypto::SystemRandom random;
  VerifiedTokens tokens(64, 100, random);
  tokens.keep("token", {.identity = {}, .issuer = 0, .generation = 2});
  tokens.keep("token", {.identity = {}, .issuer = 0, .generation = 1});
  EXPECT_EQ(tokens.find("token")->generation, 2u);
}

}  // namespace
}  // namespace stagedoor::actions
