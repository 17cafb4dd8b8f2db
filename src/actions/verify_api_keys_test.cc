// Verifying keys for people's own backends.
#include "actions/verify_api_keys.h"

#include <gtest/gtest.h>

#include "actions/admit_world_for_test.h"

namespace stagedoor::actions {
namespace {

using for_test::World;
using rules::ApiKeyStanding;
using rules::Permission;
using namespace std::chrono_literals;

// Keys of the world, and one of another app.
class Others : public rules::ApiKeyStore {
 public:
  explicit Others(for_test::Keys& keys) : keys_(keys) {}
  std::optional<rules::KnownApiKey> look_up(const rules::ApiKeyHash& hash) const override {
    auto known = keys_.look_up(hash);
    if (!known) return known;
    const auto& key = keys_.by_hash.at(hash);
    known->expires_at = key.expires_at;
    if (key.frozen_at) known->standing = ApiKeyStanding::frozen;
    if (key.revoked_at) known->standing = ApiKeyStanding::revoked;
    if (key.app_id != "app_1") known->app = &other_app;
    return known;
  }
  bool is_revoked(std::uint64_t) const override { return false; }
  void rehash(std::uint64_t, const rules::ApiKeyHash&, const rules::ApiKeyHash&) override {}
  rules::App other_app{.id = "app_2", .workspace_id = "ws_2", .name = "two", .limits = {}};

 private:
  for_test::Keys& keys_;
};

struct Bench {
  Bench() { caller_key = w.make_key(); }
  rules::Caller caller() { return *w.call(caller_key).caller; }
  rules::ApiKey& record(std::string_view text) {
    return w.keys.by_hash.at(w.hasher.current(*rules::ApiKeyText::parse(text)));
  }
  VerifyApiKeys::Outcome ask(std::string_view text, VerifyApiKeys::Asked asked = {}) {
    VerifyApiKeys::Batch batch;
    verify(caller(), asked, std::span(&text, 1), batch);
    return batch.outcomes.front();
  }
  KeyVerdict verdict(std::string_view text, VerifyApiKeys::Asked asked = {}) {
    return ask(text, asked).verdict;
  }

  World w;
  Others keys{w.keys};
  VerifyApiKeys verify{{keys, w.hasher, w.admit, w.usage, w.clock}};
  std::string caller_key;
};

// Rule api-key-verify-explains.
TEST(VerifyApiKeys, AGoodKeyIsValidWithItsScopesAndWhatIsLeftOfItsLimit) {
  Bench b;
  const auto key = b.w.make_key();
  const auto outcome = b.ask(key);
  EXPECT_EQ(outcome.verdict, KeyVerdict::valid);
  ASSERT_TRUE(outcome.key);
  EXPECT_EQ(outcome.key->app->id, "app_1");
  EXPECT_EQ(outcome.limit.remaining, 19u);
  EXPECT_EQ(b.ask(key).limit.remaining, 18u) << "it counts as a call of that key";
}

// Rule api-key-verify-explains.
TEST(VerifyApiKeys, EachReasonIsToldOfTheCallersOwnKeys) {
  Bench b;
  const auto key = b.w.make_key();
  b.record(key).frozen_at = b.w.clock.now();
  EXPECT_EQ(b.verdict(key), KeyVerdict::frozen);
  b.record(key).revoked_at = b.w.clock.now();
  EXPECT_EQ(b.verdict(key), KeyVerdict::revoked);
  b.record(key).frozen_at.reset();
  b.record(key).revoked_at.reset();
  b.record(key).expires_at = b.w.clock.now();
  EXPECT_EQ(b.verdict(key), KeyVerdict::expired);
  b.record(key).expires_at.reset();
  b.record(key).terms.networks = {*base::parse_network("192.0.2.0/24")};
  VerifyApiKeys::Asked from_elsewhere;
  from_elsewhere.network = *base::parse_address("198.51.100.1");
  EXPECT_EQ(b.verdict(key, from_elsewhere), KeyVerdict::network);
  VerifyApiKeys::Asked more;
  more.scopes = {Permission::tts_speak};
  b.record(key).terms.scopes = {Permission::keys_read};
  EXPECT_EQ(b.verdict(key, more), KeyVerdict::missing_scope);
  EXPECT_EQ(b.verdict(key), KeyVerdict::valid);
}

// Rule api-key-verify-explains.
TEST(VerifyApiKeys, AKeyOfAnotherAppIsUnknownHoweverItStands) {
  Bench b;
  const auto key = b.w.make_key();
  b.record(key).app_id = "app_2";
  EXPECT_EQ(b.verdict(key), KeyVerdict::unknown);
  b.record(key).revoked_at = b.w.clock.now();
  const auto outcome = b.ask(key);
  EXPECT_EQ(outcome.verdict, KeyVerdict::unknown);
  EXPECT_FALSE(outcome.key);
  EXPECT_EQ(b.verdict(b.w.guess()), KeyVerdict::unknown);
}

// Rule api-key-verify-explains.
TEST(VerifyApiKeys, WhatTheTextAloneShowsIsTold) {
  Bench b;
  auto mistyped = b.w.make_key();
  mistyped[20] = mistyped[20] == 'a' ? 'b' : 'a';
  EXPECT_EQ(b.verdict(mistyped), KeyVerdict::mistyped);
  const auto live = rules::ApiKeyText::make(rules::Environment::live, b.w.random);
  EXPECT_EQ(b.verdict(live.secret().expose()), KeyVerdict::wrong_environment);
  EXPECT_EQ(b.verdict("acme_never"), KeyVerdict::unknown) << "an imported key may be any text";
  const auto good = b.w.make_key();
  for (const auto& text :
       {std::string(), " " + good, good + "\n", good.substr(1, 44) + " ", good.substr(0, 44),
        good + "0", good.substr(0, 44) + "!", std::string("acme never"), std::string("a.b.c")}) {
    const auto outcome = b.ask(text);
    EXPECT_EQ(outcome.verdict, KeyVerdict::malformed) << text;
    EXPECT_EQ(outcome.hint, rules::ReadApiKey::of(text).error().hint) << "the door's own words";
    EXPECT_FALSE(outcome.hint.empty());
  }
}

// Rule api-key-verify-explains.
TEST(VerifyApiKeys, AKeyOverItsLimitIsRateLimitedAndNoOther) {
  Bench b;
  rules::ApiKeyTerms terms;
  terms.own_limit = rules::RateLimit{1, 60s, 1};
  const auto key = b.w.make_key(terms);
  EXPECT_EQ(b.verdict(key), KeyVerdict::valid);
  EXPECT_EQ(b.verdict(key), KeyVerdict::rate_limited);
  EXPECT_EQ(b.verdict(b.w.make_key()), KeyVerdict::valid);
}

TEST(VerifyApiKeys, ABatchIsAnsweredInItsOrder) {
  Bench b;
  const auto one = b.w.make_key(), two = b.w.make_key(), guess = b.w.guess();
  const std::vector<std::string_view> texts = {one, guess, two, "x"};
  VerifyApiKeys::Batch batch;
  batch.outcomes.resize(9);
  b.verify(b.caller(), {}, texts, batch);
  const auto& outcomes = batch.outcomes;
  ASSERT_EQ(outcomes.size(), 4u);
  EXPECT_EQ(outcomes[0].verdict, KeyVerdict::valid);
  EXPECT_EQ(outcomes[1].verdict, KeyVerdict::unknown);
  EXPECT_EQ(outcomes[2].verdict, KeyVerdict::valid);
  EXPECT_EQ(outcomes[3].verdict, KeyVerdict::unknown);
}

}  // namespace
}  // namespace stagedoor::actions
