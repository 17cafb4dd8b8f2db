// What a person's token costs: jwt DATA [ROUNDS]. In process, on one thread whose CPU time counts,
// by turns within each round; one JSON object a line with the median of the ratios and their range.
// DATA is a data folder that `stagedoor init` made, into which fill_keys may have put more keys;
// 1,000 go in besides.
//
//   known     a call admitted by a token that was verified before, beside one admitted by an API
//             key: the whole of actions/admit_call.h with the real tables of keys, tokens and
//             limits and 1,000 callers in turn; audit, usage and memberships take no time for
//             either
//   first     a token verified for the first time (actions/verify_identity.h), beside OpenSSL's
//             bare verification of the same signature over the same bytes: EVP_DigestVerifyInit and
//             EVP_DigestVerify with a key and a digest that are ready
//
// SPDX-License-Identifier: Apache-2.0

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <time.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include "actions/admit_call.h"
#include "actions/create_api_key.h"
#include "actions/verify_identity.h"
#include "base/text.h"
#include "crypto/random.h"
#include "crypto/signer_for_test.h"
#include "server/workspace.h"
#include "store/memory_rate_limits.h"

namespace {

using namespace stagedoor;
using crypto::SignatureAlgorithm;
using crypto::TestSigner;

constexpr std::size_t callers = 1'000;
constexpr std::size_t tokens_known = 6'000;

class Members : public rules::Members {
 public:
  base::Result<rules::Member> member_of(const rules::Identity&, std::string_view) const override {
    rules::Member member;
    member.account_id = "acc_01234567890123456789";
    member.workspace_id = "ws_01234567890123456789";
    member.role = rules::Role::owner;
    member.permissions = rules::Permissions::of_api_keys();
    return member;
  }
  std::optional<rules::Role> role_of(const std::string&, std::string_view) const override {
    return rules::Role::owner;
  }
};
class Nothing : public rules::AuditLog, public rules::KeyUsage, public base::Log {
 public:
  base::Result<base::Done> record(rules::AuditEntry) override { return base::Done{}; }
  void note(rules::AuditEntry) override {}
  void note_later(rules::AuditEntry, Complete) override {}
  void count(std::uint64_t, const base::Address&, rules::CallOutcome, base::Instant) override {}
  bool writes(base::LogLevel) const override { return false; }
  void write(base::LogLevel, std::string_view, std::initializer_list<base::LogField>) override {}
};

// As large as Firebase's: about 900 bytes with RS256.
std::string claims(std::size_t who) {
  return fmt::format(
      "{{\"name\":\"Ada "
      "Lovelace\",\"picture\":\"https://lh3.googleusercontent.com/a/ACg8ocJexample-"
      "{0:06}=s96-c\",\"iss\":\"https://securetoken.google.com/avatarium-prod\","
      "\"aud\":\"avatarium-prod\",\"auth_time\":1795500000,\"user_id\":\"kX3bY7example{0:014}\","
      "\"sub\":\"kX3bY7example{0:014}\",\"iat\":1795500000,\"exp\":4102444800,"
      "\"email\":\"ada.{0:06}@example.com\",\"email_verified\":true,\"firebase\":{{\"identities\":"
      "{{\"google.com\":[\"10912345678901{0:07}\"],\"email\":[\"ada.{0:06}@example.com\"]}},"
      "\"sign_in_provider\":\"google.com\"}}}}",
      who);
}

// Of this thread on a core: what others do meanwhile counts for little.
double cpu_nanoseconds() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
}

double nanoseconds_each(std::size_t times, const std::function<void(std::size_t)>& work) {
  const auto began = cpu_nanoseconds();
  for (std::size_t i = 0; i < times; ++i) work(i);
  return (cpu_nanoseconds() - began) / static_cast<double>(times);
}

struct Pair {
  double ours = 0, theirs = 0;
};
void tell(std::string_view kind, std::vector<Pair> rounds, std::string_view beside,
          std::size_t bytes) {
  std::ranges::sort(rounds, {}, [](const Pair& pair) { return pair.ours / pair.theirs; });
  const auto ratio = [](const Pair& pair) { return pair.ours / pair.theirs; };
  const auto& median = rounds[rounds.size() / 2];
  fmt::print(
      "{{\"kind\":\"{}\",\"beside\":\"{}\",\"bytes\":{},\"ours_ns\":{:.0f},\"theirs_ns\":{:.0f},"
      "\"ratio\":{:.3f},\"least\":{:.3f},\"most\":{:.3f}}}\n",
      kind, beside, bytes, median.ours, median.theirs, ratio(median), ratio(rounds.front()),
      ratio(rounds.back()));
}

int fail(std::string_view what) {
  fmt::print(stderr, "jwt: {}\n", what);
  return 1;
}

struct Kind {
  std::string name;
  SignatureAlgorithm algorithm;
  TestSigner signer;
};

rules::IssuerPolicy policy_of(SignatureAlgorithm algorithm) {
  auto policy = rules::firebase_policy("avatarium-prod").value();
  policy.algorithms = {algorithm};
  return policy;
}

void measure_uncached(const Kind& kind, base::Instant now, int rounds) {
  crypto::SystemRandom random;
  rules::FixedKeys keys(
      rules::JwkSet::parse("{\"keys\":[" + kind.signer.jwk(R"(,"kid":"1f40f0a8ef3d880978")") + "]}")
          .value());
  actions::VerifyIdentity verify({{policy_of(kind.algorithm), keys}}, random, {});
  const auto header =
      fmt::format(R"({{"alg":"{}","kid":"1f40f0a8ef3d880978","typ":"JWT"}})", kind.name);
  std::vector<std::string> tokens, inputs, signatures;
  for (std::size_t i = 0; i < 256; ++i) {
    tokens.push_back(kind.signer.token(kind.algorithm, header, claims(i)));
    inputs.push_back(tokens.back().substr(0, tokens.back().rfind('.')));
    signatures.push_back(kind.signer.sign_der(kind.algorithm, inputs.back()));
  }
  const EVP_MD* digest = kind.algorithm == SignatureAlgorithm::eddsa
                             ? nullptr
                             : EVP_MD_fetch(nullptr, "SHA256", nullptr);
  // The bare verifier gets a public key alone, as we do.
  unsigned char* encoded = nullptr;
  const int length = i2d_PUBKEY(kind.signer.key(), &encoded);
  const unsigned char* at = encoded;
  EVP_PKEY* const bare_key = d2i_PUBKEY(nullptr, &at, length);
  const auto ours = [&](std::size_t i) {
    if (!verify.verify(tokens[i % tokens.size()], now)) std::abort();
  };
  const auto bare = [&](std::size_t i) {
    const auto& input = inputs[i % inputs.size()];
    const auto& signature = signatures[i % signatures.size()];
    EVP_MD_CTX* const context = EVP_MD_CTX_new();
    if (EVP_DigestVerifyInit(context, nullptr, digest, nullptr, bare_key) != 1 ||
        EVP_DigestVerify(context, reinterpret_cast<const unsigned char*>(signature.data()),
                         signature.size(), reinterpret_cast<const unsigned char*>(input.data()),
                         input.size()) != 1)
      std::abort();
    EVP_MD_CTX_free(context);
  };
  std::vector<Pair> all;
  for (int round = 0; round < rounds; ++round)
    all.push_back({.ours = nanoseconds_each(1'000, ours), .theirs = nanoseconds_each(1'000, bare)});
  tell(kind.name + ", first time", std::move(all), "bare verification", tokens.front().size());
}

int measure_cached(const std::string& folder, const Kind& kind, base::Instant now, int rounds) {
  const server::Config settings;
  const auto workspace = server::Workspace::open(server::DataFolder{folder}, settings);
  if (!workspace) return fail(workspace.error().hint);
  auto& parts = **workspace;
  std::vector<std::string> keys, tokens;
  for (std::size_t i = 0; i < callers; ++i) {
    actions::CreateApiKey::Request request;
    request.app_id = parts.catalog->apps().front().id;
    request.environment = rules::Environment::test;
    request.wish.name = "measured";
    auto made = parts.key_verbs->create(actions::KeyManager::of_operator(), request);
    if (!made) return fail(made.error().detail);
    keys.emplace_back(made->text.secret().expose());
  }
  rules::FixedKeys issuer_keys(
      rules::JwkSet::parse("{\"keys\":[" + kind.signer.jwk(R"(,"kid":"1f40f0a8ef3d880978")") + "]}")
          .value());
  actions::VerifyIdentity verify({{policy_of(kind.algorithm), issuer_keys}}, parts.random, {});
  const auto header =
      fmt::format(R"({{"alg":"{}","kid":"1f40f0a8ef3d880978","typ":"JWT"}})", kind.name);
  for (std::size_t i = 0; i < tokens_known; ++i) {
    auto token = kind.signer.token(kind.algorithm, header, claims(i));
    if (!verify.verify(token, now)) return fail("a token does not verify");
    if (i < callers) tokens.push_back(std::move(token));
  }
  Nothing nothing;
  Members members;
  store::MemoryRateLimits limits({}, parts.random);
  actions::AdmitCall::Options unlimited;
  unlimited.person = unlimited.stranger = {1'000'000'000, std::chrono::minutes(1), 1'000'000'000};
  for (auto& [tier, limit] : unlimited.tiers) limit = unlimited.person;
  const actions::AdmitCall admit({.authenticate = *parts.authenticate,
                                  .identities = verify,
                                  .members = members,
                                  .limiter = limits,
                                  .key_usage = nothing,
                                  .audit = nothing,
                                  .clock = parts.clock},
                                 unlimited);
  const auto client = *base::parse_address("192.0.2.7");
  const auto call = [&](std::string_view credential) {
    const auto outcome = admit.at_once({.credential = credential,
                                        .client = client,
                                        .peer = "192.0.2.7",
                                        .request_id = "req_1",
                                        .action = "GET /v1/live-sessions",
                                        .needs = rules::Permission::sessions_read});
    if (!outcome || !outcome->caller) std::abort();
  };
  std::vector<Pair> all;
  for (int round = 0; round < rounds; ++round)
    all.push_back(
        {.ours = nanoseconds_each(100'000, [&](std::size_t i) { call(tokens[i % callers]); }),
         .theirs = nanoseconds_each(100'000, [&](std::size_t i) { call(keys[i % callers]); })});
  tell(kind.name + ", known", std::move(all), "API key", tokens.front().size());
  return 0;
}

}  // namespace

int main(int argument_count, char** arguments) {
  if (argument_count < 2) return fail("jwt FOLDER [ROUNDS]");
  const int rounds = argument_count > 2 ? std::atoi(arguments[2]) : 11;
  const auto now = base::SystemClock().now();
  Kind rs256{"RS256", SignatureAlgorithm::rs256, TestSigner::rsa()};
  Kind es256{"ES256", SignatureAlgorithm::es256, TestSigner::p256()};
  Kind eddsa{"EdDSA", SignatureAlgorithm::eddsa, TestSigner::ed25519()};
  for (const auto* kind : {&rs256, &es256, &eddsa}) measure_uncached(*kind, now, rounds);
  for (const auto* kind : {&rs256, &es256})
    if (const int trouble = measure_cached(arguments[1], *kind, now, rounds); trouble != 0)
      return trouble;
  return 0;
}
