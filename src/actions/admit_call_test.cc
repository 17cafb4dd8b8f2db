// Who gets in, in which order that is decided, and whose limit each call counts against.
#include "actions/admit_call.h"

#include <gtest/gtest.h>

#include "actions/admit_world_for_test.h"

namespace stagedoor::actions {
namespace {

using namespace for_test;

TEST(AdmitCall, AGoodKeyIsAdmittedAndToldItsLimit) {
  World w;
  const auto outcome = w.call(w.make_key());
  ASSERT_TRUE(outcome.caller);
  EXPECT_EQ(outcome.caller->kind(), rules::CallerKind::api_key);
  EXPECT_EQ(outcome.limit.kind, RateKind::api_key);
  EXPECT_EQ(outcome.limit.remaining, 19u);
  EXPECT_EQ(w.usage.admitted, 1);
  EXPECT_TRUE(w.audit.entries.empty());
}

TEST(AdmitCall, APersonIsAdmittedAndCountedAsThemselvesFromAnyNetwork) {
  World w;
  EXPECT_EQ(w.call("a.b.ada", "192.0.2.1").limit.remaining, 119u);
  EXPECT_EQ(w.call("a.b.ada", "192.0.2.2").limit.remaining, 118u);
  EXPECT_EQ(w.call("a.b.bob", "192.0.2.2").limit.remaining, 119u);
  EXPECT_EQ(w.call("a.b.bob").limit.kind, RateKind::person);
}

TEST(AdmitCall, ATokenThatNeedsTimeIsNotDecidedAtOnce) {
  World w;
  EXPECT_FALSE(w.admit.at_once(w.asked("a.b.new", "192.0.2.7", Permission::keys_read)));
  EXPECT_EQ(w.people.verified, 0);
  EXPECT_TRUE(w.limiter.arrivals.empty());
  EXPECT_TRUE(w.call("a.b.new").caller);
}

TEST(AdmitCall, TheCredentialIsLookedAtFirstThenTheLimitThenThePermission) {
  World w;
  const auto key =
      w.make_key(terms_of({Permission::keys_read}, "free", rules::RateLimit{1, 1min, 1}));
  // No credential and no permission: the credential.
  EXPECT_EQ(w.code_of(w.guess(), "192.0.2.7", Permission::tokens_mint), ErrorCode::unauthenticated);
  // No permission: it has been counted all the same.
  EXPECT_EQ(w.code_of(key, "192.0.2.7", Permission::tokens_mint), ErrorCode::forbidden);
  // No permission and over the limit: the limit.
  EXPECT_EQ(w.code_of(key, "192.0.2.7", Permission::tokens_mint), ErrorCode::rate_limited);
  EXPECT_EQ(w.usage.refused, 2);
}

TEST(AdmitCall, AKeyWithoutThePermissionIsForbiddenAndToldWhichOneItLacks) {
  World w;
  const auto key = w.make_key(terms_of({Permission::keys_read}));
  const auto outcome = w.call(key, "192.0.2.7", Permission::tokens_mint);
  ASSERT_FALSE(outcome.caller);
  EXPECT_EQ(outcome.caller.error().code, ErrorCode::forbidden);
  EXPECT_NE(outcome.caller.error().hint.find("tokens:mint"), std::string::npos);
  EXPECT_EQ(outcome.limit.remaining, 19u);
}

// Rule rate-limit-by-network.
TEST(AdmitCall, GuessedKeysCountAgainstTheirNetworkWhicheverKeyIsGuessed) {
  World w;
  for (int i = 0; i < 10; ++i) EXPECT_EQ(w.code_of(w.guess()), ErrorCode::unauthenticated);
  EXPECT_EQ(w.code_of(w.guess()), ErrorCode::rate_limited);
  EXPECT_EQ(w.code_of("a.b.forged"), ErrorCode::rate_limited);
  EXPECT_EQ(w.call_without().caller.error().code, ErrorCode::rate_limited);
  EXPECT_EQ(w.call_without().limit.retry_after, 12s);
  EXPECT_EQ(w.code_of(w.guess(), "192.0.2.8"), ErrorCode::unauthenticated);
}

// Rule rate-limit-by-network.
TEST(AdmitCall, WhoGuessesDoesNotLockOutAKeyOfTheSameNetwork) {
  World w;
  const auto key = w.make_key();
  for (int i = 0; i < 50; ++i) w.call(w.guess());
  EXPECT_TRUE(w.call(key).caller);
}

// Rule rate-limit-by-network.
TEST(AdmitCall, AStolenKeyUsedElsewhereDoesNotLockItsOwnerOut) {
  World w;
  const auto key = w.make_key();
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(w.call(key, "198.51.100.1").caller);
  EXPECT_EQ(w.code_of(key, "198.51.100.1"), ErrorCode::rate_limited);
  EXPECT_EQ(w.call(key, "192.0.2.7").limit.remaining, 19u);
}

TEST(AdmitCall, AKeyThatCountsForAllNetworksTogetherHasOneLimit) {
  World w({.keys_count_per_network = false});
  const auto key = w.make_key();
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(w.call(key, "198.51.100.1").caller);
  EXPECT_EQ(w.code_of(key, "192.0.2.7"), ErrorCode::rate_limited);
}

// Rule rate-limit-by-network.
TEST(AdmitCall, StrangersOfOneIPv6NetworkOf64BitsCountTogether) {
  World w;
  for (int i = 1; i <= 10; ++i) w.call_without("2001:db8:1:2::" + std::to_string(i));
  EXPECT_EQ(w.call_without("2001:db8:1:2:ffff::1").caller.error().code, ErrorCode::rate_limited);
  EXPECT_EQ(w.call_without("2001:db8:1:3::1").caller.error().code, ErrorCode::credential_missing);
}

TEST(AdmitCall, AnIssuerThatDoesNotAnswerIsNoGuess) {
  World w;
  for (int i = 0; i < 50; ++i) EXPECT_EQ(w.code_of("a.b.down"), ErrorCode::unavailable);
  EXPECT_TRUE(w.limiter.arrivals.empty());
}

TEST(AdmitCall, AnExpiredTokenIsToldSoAndCountsAgainstItsNetwork) {
  World w;
  EXPECT_EQ(w.code_of("a.b.late"), ErrorCode::token_expired);
  EXPECT_EQ(w.call("a.b.late").limit.kind, RateKind::stranger);
}

TEST(AdmitCall, ASessionTokenIsNoCredential) {
  World w;
  EXPECT_EQ(w.code_of("eyJhbGciOiJIUzI1NiJ9.eyJqdGkiOiJ4In0.c2ln"), ErrorCode::token_invalid);
}

TEST(AdmitCall, AWorkspaceThatIsNotThePersonsIsNotFound) {
  World w;
  auto request = w.asked("a.b.ada", "192.0.2.7", Permission::keys_read);
  request.workspace_id = "ws_2";
  EXPECT_EQ(w.admit(request).caller.error().code, ErrorCode::not_found);
}

// Rule rate-limit-by-kind.
TEST(AdmitCall, AKeyHasItsOwnLimitOrThatOfItsTierOrThatOfFree) {
  World w;
  const auto limit_of = [&](rules::ApiKeyTerms terms) {
    return rules::text_of(w.call(w.make_key(std::move(terms))).limit.limit);
  };
  EXPECT_EQ(limit_of({}), "10/min burst 20");
  EXPECT_EQ(limit_of(terms_of(all_scopes, "creator")), "30/min burst 60");
  EXPECT_EQ(limit_of(terms_of(all_scopes, "pro")), "300/min burst 600");
  EXPECT_EQ(limit_of(terms_of(all_scopes, "gone")), "10/min burst 20");
  EXPECT_EQ(limit_of(terms_of(all_scopes, "pro", rules::RateLimit{1, 1s, 2})), "1/sec burst 2");
}

// Rule rate-limit-of-app.
TEST(AdmitCall, AllKeysOfAnAppShareItsLimitBesideTheirOwn) {
  World w;
  w.keys.app.limits.rate_limit = rules::RateLimit{25, 1min, 25};
  const auto first = w.make_key(), second = w.make_key(), third = w.make_key();
  const auto admitted = [&](std::string_view key, std::string_view from) {
    int count = 0;
    while (w.call(key, from).caller) ++count;
    return count;
  };
  EXPECT_EQ(admitted(first, "192.0.2.7"), 20);
  EXPECT_EQ(w.call(first).limit.kind, RateKind::api_key);
  EXPECT_EQ(admitted(second, "192.0.2.7"), 5) << "what the key's own limit refused cost nothing";
  EXPECT_EQ(admitted(third, "198.51.100.1"), 0) << "from all networks together";
  const auto refused = w.call(third);
  EXPECT_EQ(refused.limit.kind, RateKind::app);
  EXPECT_NE(refused.caller.error().hint.find("app"), std::string::npos);
  w.clock.advance(2400ms);
  EXPECT_TRUE(w.call(third).caller);
}

// Rule rate-limit-of-app.
TEST(AdmitCall, AnAppsUsedUpLimitKeepsNobodyFromRevokingAndTheKeysOwnHolds) {
  World w;
  w.keys.app.limits.rate_limit = rules::RateLimit{1, 1min, 1};
  const auto thief = w.make_key(), owner = w.make_key();
  while (w.call(thief, "198.51.100.1").caller) continue;
  auto revoking = w.asked(owner, "192.0.2.7", Permission::keys_write);
  EXPECT_EQ(w.admit(revoking).limit.kind, RateKind::app);
  revoking.purpose = AdmitCall::Request::Purpose::revoking;
  for (int i = 1; i < 20; ++i) EXPECT_TRUE(w.admit(revoking).caller);
  const auto refused = w.admit(revoking);
  EXPECT_FALSE(refused.caller);
  EXPECT_EQ(refused.limit.kind, RateKind::api_key);
}

// Rule rate-limit-of-app.
TEST(AdmitCall, TheLimitThatLeavesLessIsTold) {
  World w;
  w.keys.app.limits.rate_limit = rules::RateLimit{300, 1min, 22};
  EXPECT_EQ(w.call(w.make_key()).limit.kind, RateKind::api_key);
  EXPECT_EQ(w.call(w.make_key()).limit.kind, RateKind::api_key);
  EXPECT_EQ(w.call(w.make_key()).limit.kind, RateKind::api_key);
  EXPECT_EQ(w.call(w.make_key()).limit.kind, RateKind::app);
}

TEST(AdmitCall, AnAppWithoutALimitOfItsOwnIsNotCounted) {
  World w;
  w.call(w.make_key());
  w.keys.app.limits.rate_limit = rules::RateLimit::unlimited();
  w.call(w.make_key());
  for (const auto& [who, arrival] : w.limiter.arrivals) EXPECT_NE(who.first, RateKind::app);
}

// Rule rate-limit-by-kind.
TEST(AdmitCall, WhatNeedsNoCredentialHasTheLimitOfItsKind) {
  World w;
  const auto here = *base::parse_address("192.0.2.7");
  const auto admitted = [&](RateKind kind, std::string_view who) {
    int count = 0;
    while (w.admit.open_call(kind, here, who, "192.0.2.7", "req-1", "POST /x").done) ++count;
    return count;
  };
  EXPECT_EQ(admitted(RateKind::stranger, ""), 10);
  EXPECT_EQ(admitted(RateKind::login, ""), 10);
  EXPECT_EQ(admitted(RateKind::account_creation, ""), 3);
  EXPECT_EQ(admitted(RateKind::password, "ada@example.com"), 5);
  EXPECT_EQ(admitted(RateKind::password, "bob@example.com"), 5);
  EXPECT_EQ(w.audit.entries.size(), 5u);
}

TEST(AdmitCall, EachRefusalIsNotedWithWhoAndFromWhereAndWithoutTheCredential) {
  World w;
  const auto key = w.make_key(terms_of({Permission::keys_read}));
  const auto guess = w.guess();
  w.call(guess);
  w.call(key, "192.0.2.7", Permission::tokens_mint);
  ASSERT_EQ(w.audit.entries.size(), 2u);
  EXPECT_EQ(w.audit.entries[0].actor, "");
  EXPECT_EQ(w.audit.entries[1].actor, "key_0000000000000001");
  EXPECT_EQ(w.audit.entries[1].workspace_id, "ws_1");
  for (const auto& entry : w.audit.entries) {
    EXPECT_EQ(entry.outcome, rules::AuditOutcome::refused);
    EXPECT_EQ(entry.peer, "192.0.2.7");
    EXPECT_EQ(entry.request_id, "req-1");
    EXPECT_EQ(entry.action, "GET /v1/keys");
    for (const auto* text : {&entry.detail, &entry.subject, &entry.actor}) {
      EXPECT_EQ(text->find(guess), std::string::npos);
      EXPECT_EQ(text->find(key), std::string::npos);
    }
  }
}

// Rule audit-of-refusals.
TEST(AdmitCall, TheUseOfAKeyThatIsGoodNoMoreIsNotedForItsOwnerAndAnsweredAsAGuess) {
  World w;
  const auto now = w.clock.now();
  const auto guessed = w.call(w.guess()).caller.error();
  int number = 0;
  for (const auto& key : {w.make_key_and([&](rules::ApiKey& key) { key.revoked_at = now; }),
                          w.make_key_and([&](rules::ApiKey& key) { key.frozen_at = now; }),
                          w.make_key_and([&](rules::ApiKey& key) { key.expires_at = now; })}) {
    const auto refused = w.call(key).caller;
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, guessed.code);
    EXPECT_EQ(refused.error().hint, guessed.hint);
    const auto& entry = w.audit.entries.back();
    EXPECT_EQ(entry.actor, rules::api_key_id_text(static_cast<std::uint64_t>(++number)));
    EXPECT_EQ(entry.workspace_id, "ws_1");
    EXPECT_EQ(entry.detail.find(key), std::string::npos);
  }
  EXPECT_TRUE(w.audit.entries[1].detail.ends_with("revoked"));
  EXPECT_TRUE(w.audit.entries[2].detail.ends_with("frozen"));
  EXPECT_TRUE(w.audit.entries[3].detail.ends_with("expired"));
  EXPECT_EQ(w.audit.entries[0].actor, "");
}

// Rule audit-of-refusals.
TEST(AdmitCall, AGenuineKeyFromAWrongNetworkIsNotedForItsOwnerAndCountedForTheNetwork) {
  World w;
  auto terms = terms_of(all_scopes);
  terms.networks = {*base::parse_network("192.0.2.0/24")};
  const auto key = w.make_key(terms);
  EXPECT_EQ(w.code_of(key, "198.51.100.1"), ErrorCode::forbidden);
  ASSERT_EQ(w.audit.entries.size(), 1u);
  EXPECT_EQ(w.audit.entries[0].actor, "key_0000000000000001");
  EXPECT_EQ(w.audit.entries[0].workspace_id, "ws_1");
  EXPECT_EQ(w.audit.entries[0].peer, "198.51.100.1");
  for (int i = 1; i < 10; ++i) w.code_of(key, "198.51.100.1");
  EXPECT_EQ(w.code_of(key, "198.51.100.1"), ErrorCode::rate_limited);
  EXPECT_EQ(w.usage.refused, 11) << "rule usage-of-keys: for the network that it came from";
  EXPECT_EQ(w.usage.admitted, 0);
  EXPECT_TRUE(w.call(key).caller);
}

// Rule password-guesses-limited.
TEST(AdmitCall, ACrowdGuessesAtOneAccountWithinOneLimitAndOneNetworkAloneNeverFillsIt) {
  World w;
  int let_through = 0;
  const auto guess = [&](int network, std::string_view account) {
    const auto from = "203.0." + std::to_string(network) + ".1";
    return w.admit
        .open_call(RateKind::password, *base::parse_address(from), account, from, "req",
                   "POST /v1/login")
        .done.has_value();
  };
  for (int i = 0; i < 50; ++i) guess(200, "ada@example.com");
  for (int network = 0; network < 100; ++network) let_through += guess(network, "ada@example.com");
  EXPECT_EQ(let_through, 95) << "a hundred, of which one network took no more than five";
  EXPECT_FALSE(guess(150, "ada@example.com"));
  EXPECT_TRUE(guess(150, "bob@example.com"));
  w.clock.advance(3s);
  EXPECT_TRUE(guess(151, "ada@example.com"));
}

// Rule rate-limit-shadow.
TEST(AdmitCall, ALimitThatOnlyWatchesAdmitsAndNotesWhatItWouldHaveRefused) {
  World w;
  w.limiter.watches = true;
  const auto key = w.make_key();
  for (int i = 0; i < 21; ++i) EXPECT_TRUE(w.call(key).caller);
  ASSERT_EQ(w.audit.entries.size(), 1u);
  EXPECT_EQ(w.audit.entries[0].outcome, rules::AuditOutcome::done);
  EXPECT_EQ(w.audit.entries[0].detail, "over the rate limit api-key, which only watches");
  EXPECT_EQ(w.audit.entries[0].workspace_id, "ws_1");
  EXPECT_EQ(w.audit.entries[0].actor, "key_0000000000000001");
  for (int i = 0; i < 11; ++i)
    EXPECT_EQ(w.call_without().caller.error().code, ErrorCode::credential_missing);
}

}  // namespace
}  // namespace stagedoor::actions
