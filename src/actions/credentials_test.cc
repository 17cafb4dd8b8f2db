// Minting and admitting, over the real rules and stores in memory; provable without a socket.
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <iterator>
#include <map>
#include <mutex>

#include "actions/choose_app.h"
#include "actions/credentials_world_for_test.h"
#include "base/json.h"
#include "rules/built_in.h"

namespace stagedoor::actions {
namespace {

using base::ErrorCode;
using namespace std::chrono_literals;

using namespace credentials;

// Rule api-key-shown-once.
TEST(CreateApiKey, WhatIsStoredAndListedIsNotTheKey) {
  World w;
  const auto listed = w.keys.list({});
  for (const auto& key : listed->keys) {
    EXPECT_EQ(key.ends.find(w.key), std::string::npos);
    EXPECT_LT(key.ends.size(), 20u);
  }
  for (const auto& [hash, key] : w.keys.by_hash)
    EXPECT_EQ(w.key.find(std::string(hash.begin(), hash.end())), std::string::npos);
}

// Rule api-key-of-one-app.
TEST(AuthenticateApiKey, GivesTheOneAppAndEnvironmentOfTheKey) {
  World w;
  EXPECT_EQ(w.caller().app().id, "app_1");
  EXPECT_EQ(w.caller().environment(), rules::Environment::test);
}

// Rule api-key-constant-time.
TEST(AuthenticateApiKey, UnknownAndRevokedKeysAreIndistinguishable) {
  World w;
  const auto unknown = rules::ApiKeyText::make(rules::Environment::test, w.random);
  const auto first = w.authenticate(unknown.secret().expose(), here);
  (void)w.keys.revoke(w.caller().api_key_id(), w.clock.now(), "", {});
  const auto second = w.authenticate(w.key, here);
  ASSERT_FALSE(first);
  ASSERT_FALSE(second);
  EXPECT_EQ(first.error().code, second.error().code);
  EXPECT_EQ(first.error().hint, second.error().hint);
  EXPECT_EQ(first.error().detail, second.error().detail);
}

TEST(AuthenticateApiKey, AKeyOfAnEnvironmentThatIsNotServedIsToldSo) {
  World w;
  const AuthenticateApiKey live_only{{w.keys, w.hasher, w.clock},
                                     {.accepts_live = true, .accepts_test = false}};
  EXPECT_EQ(live_only(w.key, here).error().code, ErrorCode::wrong_environment);
}

// Rule server-secret-rotates.
TEST(AuthenticateApiKey, AKeyUsedAfterARotationSurvivesTheNextOne) {
  World w;
  const rules::ApiKeyHasher rotated(hashing({"new pepper", "pepper"}));
  EXPECT_TRUE((AuthenticateApiKey{{w.keys, rotated, w.clock}, {}}(w.key, here)));
  const rules::ApiKeyHasher twice(hashing({"newest pepper", "new pepper"}));
  EXPECT_TRUE((AuthenticateApiKey{{w.keys, twice, w.clock}, {}}(w.key, here)));
  const rules::ApiKeyHasher without(hashing({"other pepper"}));
  EXPECT_FALSE((AuthenticateApiKey{{w.keys, without, w.clock}, {}}(w.key, here)));
}

TEST(MintSessionToken, StatesTheValuesThatItApplied) {
  World w;
  auto wish = w.wish();
  wish.length_max = 10h;  // more than the app may: cut down
  wish.idle_max = 20s;
  wish.uses_max = 50;
  wish.connect_within = 30s;
  const auto minted = w.mint_token(w.caller(), wish);
  ASSERT_TRUE(minted);
  EXPECT_EQ(minted->applied.leash.length_max, 2h);
  EXPECT_EQ(minted->applied.leash.idle_max, 20s);
  EXPECT_EQ(minted->applied.uses_max, 1);
  EXPECT_EQ(minted->applied.leash.connect_by, w.clock.now() + 30s);
}

// Rule session-token-lifetime.
TEST(MintSessionToken, ATokenExpiresNoLaterThanTheKeyThatMintsIt) {
  World w;
  CreateApiKey::Request request{"app_1", rules::Environment::test, {}};
  request.wish.name = "k";
  request.wish.expires_at = w.clock.now() + 60s;
  const auto made = w.create(KeyManager::of_operator(), request);
  ASSERT_TRUE(made);
  const auto caller = *w.authenticate(made->text.secret().expose(), here);
  auto wish = w.wish();
  const auto cut = w.mint_token(caller, wish);
  ASSERT_TRUE(cut);
  EXPECT_EQ(cut->applied.expires_at, w.clock.now() + 60s);
  EXPECT_EQ(cut->applied.leash.connect_by, w.clock.now() + 60s);
  const std::string token(cut->token.expose());
  wish.expires_at = w.clock.now() + 30s;
  EXPECT_EQ(w.mint_token(caller, wish)->applied.expires_at, w.clock.now() + 30s);
  wish.expires_at = w.clock.now() + 25h;
  EXPECT_EQ(w.mint_token(caller, wish).error().code, ErrorCode::malformed);
  w.clock.advance(60s);
  EXPECT_EQ(w.refusal(token), ErrorCode::token_expired);
}

TEST(MintSessionToken, RefusesForeignAppsAndAvatars) {
  World w;
  auto wish = w.wish();
  wish.app_id = "app_2";
  EXPECT_EQ(w.mint_token(w.caller(), wish).error().code, ErrorCode::app_mismatch);
  wish = w.wish();
  for (const auto* avatar : {"ava_2", "ava_nobody"}) {
    wish.avatar_id = avatar;
    EXPECT_EQ(w.mint_token(w.caller(), wish).error().code, ErrorCode::avatar_unknown);
  }
}

TEST(AdmitConnection, AGoodTokenGetsAGrantWithItsLeash) {
  World w;
  const auto grant = w.show(w.mint(w.wish()));
  ASSERT_TRUE(grant);
  EXPECT_EQ(grant->app_id(), "app_1");
  EXPECT_EQ(grant->avatar_id(), "ava_1");
  EXPECT_EQ(grant->leash().idle_max, 300s);
  EXPECT_EQ(grant->environment(), rules::Environment::test);
}

// Rule session-token-single-use.
TEST(AdmitConnection, ASecondUseIsRefused) {
  World w;
  const auto token = w.mint(w.wish());
  EXPECT_TRUE(w.show(token));
  EXPECT_EQ(w.refusal(token), ErrorCode::token_spent);
}

// Rule session-token-single-use.
TEST(AdmitConnection, AnAppThatAllowsThreeUsesGetsExactlyThree) {
  World w;
  w.book.apps["app_1"].limits.token_uses_max = 3;
  const auto token = w.mint(w.wish());
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(w.show(token));
  EXPECT_EQ(w.refusal(token), ErrorCode::token_spent);
}

// Rule session-token-reuse-is-suspected-theft.
TEST(AdmitConnection, ARefusedFurtherUseIsLoggedAsSuspectedTheftWithoutTheToken) {
  World w;
  const auto token = w.mint(w.wish());
  (void)w.show(token);
  EXPECT_TRUE(w.log.events.empty());
  (void)w.show(token);
  ASSERT_EQ(w.log.events.size(), 1u);
  EXPECT_EQ(w.log.events.front(), "session_token.reuse_suspected_theft");
  EXPECT_NE(w.log.texts.find("192.0.2.7"), std::string::npos);
  EXPECT_EQ(w.log.texts.find(token), std::string::npos);
}

TEST(AdmitConnection, ATokenOfAPersonWhoIsNoMemberAnyMoreOrMayNotMintOpensNothing) {
  World w;
  const auto mint_as_ada = [&] {
    auto token = w.mint_token(w.caller(), w.wish())->applied;
    token.api_key_id = "acc_ada";
    return w.token_keys.sign(rules::claims_json(token));
  };
  w.members.roles[{"acc_ada", "ws_1"}] = rules::Role::developer;
  EXPECT_TRUE(w.show(mint_as_ada()));
  w.members.roles[{"acc_ada", "ws_1"}] = rules::Role::viewer;
  EXPECT_EQ(w.refusal(mint_as_ada()), ErrorCode::unauthenticated);
  w.members.roles = {{{"acc_ada", "ws_2"}, rules::Role::owner}};
  EXPECT_EQ(w.refusal(mint_as_ada()), ErrorCode::unauthenticated)
      << "also one that is made in the moment of the removal";
}

// Rule audit-of-refusals.
TEST(AdmitConnection, ARefusedTokenIsNotedForTheWorkspaceOfWhoeverMintedIt) {
  World w;
  const auto token = w.mint(w.wish());
  EXPECT_EQ(w.refusal(token, "app_1", "ava_unknown"), ErrorCode::avatar_unknown);
  w.clock.advance(1h);
  EXPECT_EQ(w.refusal(token), ErrorCode::token_expired);
  ASSERT_EQ(w.audit.entries.size(), 2u);
  for (const auto& entry : w.audit.entries) {
    EXPECT_EQ(entry.workspace_id, "ws_1");
    EXPECT_TRUE(entry.actor.starts_with("key_")) << entry.actor;
    EXPECT_EQ(entry.action, "GET /socket");
    EXPECT_EQ(entry.outcome, rules::AuditOutcome::refused);
    EXPECT_EQ(entry.peer, "192.0.2.7");
    EXPECT_EQ(entry.request_id, "req-1");
  }
}

// Rules audit-of-refusals, rate-limit-by-network.
TEST(AdmitConnection, AGuessedTokenCountsAgainstItsNetworkAndOneOfOursThatIsTooLateDoesNot) {
  World w;
  auto guess = w.mint(w.wish());
  guess.back() = guess.back() == 'A' ? 'Q' : 'A';
  guess[guess.size() - 5] = guess[guess.size() - 5] == 'A' ? 'B' : 'A';
  const auto late = w.mint(w.wish());
  w.clock.advance(1h);
  for (int i = 0; i < 30; ++i) EXPECT_EQ(w.refusal(late), ErrorCode::token_expired);
  w.audit.entries.clear();
  int refused = 0;
  for (int i = 0; i < 30; ++i) refused += w.refusal(guess) == ErrorCode::rate_limited ? 1 : 0;
  EXPECT_EQ(refused, 20) << "ten at once, as strangers may";
  ASSERT_EQ(w.audit.entries.size(), 30u);
  EXPECT_EQ(w.audit.entries[0].workspace_id, "");
  const auto over = w.show(guess);
  ASSERT_TRUE(over.error().limit);
  EXPECT_EQ(over.error().limit->kind, rules::RateKind::stranger);
  EXPECT_EQ(over.error().limit->retry_after, 12s);
  EXPECT_TRUE(w.show(w.mint(w.wish()))) << "a good token from the same network";
}

// Rule session-token-reuse-is-suspected-theft.
TEST(AdmitConnection, ASecondClientRaisesAnAlarmThatNamesBoth) {
  World w;
  const auto token = w.mint(w.wish());
  w.nonce = "first-client-nonce";
  ASSERT_TRUE(w.show(token));
  w.peer = "198.51.100.9";
  for (const auto* nonce : {"", "other-client-nonce"}) {
    w.audit.entries.clear();
    w.events.sent.clear();
    w.nonce = nonce;
    EXPECT_EQ(w.refusal(token), ErrorCode::token_spent);
    ASSERT_EQ(w.audit.entries.size(), 1u);
    const auto& entry = w.audit.entries[0];
    EXPECT_EQ(entry.action, "session_token.suspect_theft");
    EXPECT_EQ(entry.peer, "198.51.100.9");
    EXPECT_NE(entry.detail.find("192.0.2.7"), std::string::npos);
    ASSERT_EQ(w.events.sent.size(), 1u);
    base::JsonReader reader;
    const auto event = reader.read(w.events.sent[0]);
    ASSERT_TRUE(event) << w.events.sent[0];
    EXPECT_EQ(event->member("type")->text(), "session_token.suspect_theft");
    const auto data = *event->member("data");
    EXPECT_EQ(data.member("peer")->text(), "198.51.100.9");
    EXPECT_EQ(data.member("earlier_peer")->text(), "192.0.2.7");
    EXPECT_EQ(w.events.sent[0].find("eyJ"), std::string::npos);
  }
}

// Rule session-token-retry-by-same-client.
TEST(AdmitConnection, AClientWhoseSessionIsOverForGoodIsRefusedAndIsNoThief) {
  World w;
  const auto token = w.mint(w.wish());
  w.nonce = "first-client-nonce";
  const auto grant = w.show(token);
  ASSERT_TRUE(grant);
  w.spent.over.insert(grant->session_id());
  w.audit.entries.clear();
  w.events.sent.clear();
  const auto again = w.show(token);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, ErrorCode::token_spent);
  EXPECT_NE(again.error().hint.find("is over"), std::string::npos);
  EXPECT_TRUE(w.events.sent.empty());
  ASSERT_EQ(w.audit.entries.size(), 1u);
  EXPECT_EQ(w.audit.entries[0].action, "GET /socket");
}

// Rule session-token-retry-by-same-client.
TEST(AdmitConnection, TheSameClientGetsItsSessionBackWithWhatIsLeftOfItsLength) {
  World w;
  auto wish = w.wish();
  wish.length_max = 60s;
  const auto token = w.mint(wish);
  w.nonce = "the-clients-own-nonce";
  const auto first = w.show(token);
  ASSERT_TRUE(first);
  w.clock.advance(20s);
  const auto again = w.show(token);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->session_id(), first->session_id());
  EXPECT_EQ(again->live_session().ends_at, first->live_session().ends_at);
  EXPECT_TRUE(w.log.events.empty()) << "no alarm";
  EXPECT_TRUE(w.audit.entries.empty());
}

// Rule session-token-retry-by-same-client.
TEST(AdmitConnection, ARetryIsLetInThoughItsOlderConnectionHoldsTheAppsLastPlace) {
  World w;
  w.book.apps["app_1"].limits.sessions_max = 1;
  const auto token = w.mint(w.wish());
  w.nonce = "the-clients-own-nonce";
  const auto first = w.show(token);
  ASSERT_TRUE(first);
  EXPECT_TRUE(w.show(token));
  const auto other = w.mint(w.wish());
  EXPECT_EQ(w.refusal(other), ErrorCode::concurrency_limited);
  w.nonce = "another-client-nonce";
  EXPECT_EQ(w.refusal(token), ErrorCode::token_spent) << "a thief is told apart in a full app too";
}

TEST(AdmitConnection, ANonceInNoFormIsRefusedAndTheTokenStaysUnspent) {
  World w;
  const auto token = w.mint(w.wish());
  for (const auto& nonce : {std::string("short"), std::string(129, 'n'), std::string(20, ' '),
                            std::string(20, '\x80')}) {
    w.nonce = nonce;
    EXPECT_EQ(w.refusal(token), ErrorCode::malformed);
  }
  w.nonce = std::string(16, 'n');
  EXPECT_TRUE(w.show(token));
}

// Rule session-counted-once.
TEST(AdmitConnection, TheLedgerHearsOfEachEndOnceAlsoOfAConnectionThatWasLostOnTheWay) {
  World w;
  {
    auto grant = w.show(w.mint(w.wish()));
    ASSERT_TRUE(grant);
    const auto id = grant->session_id();
    grant->close("idle");
    grant = base::fail(ErrorCode::not_found, "gone");
    EXPECT_EQ(w.spent.ended, std::vector<std::string>{id + " 1 idle"});
  }
  w.spent.ended.clear();
  const auto id = w.show(w.mint(w.wish()))->session_id();
  EXPECT_EQ(w.spent.ended, std::vector<std::string>{id + " 1 lost"});
}

// Rule session-token-bound.
TEST(AdmitConnection, ATokenOpensNothingForAnotherAppOrAvatar) {
  World w;
  auto wish = w.wish();
  wish.avatar_id = "ava_1";
  const auto token = w.mint(wish);
  EXPECT_EQ(w.refusal(token, "app_2"), ErrorCode::app_mismatch);
  EXPECT_EQ(w.refusal(token, "app_nobody"), ErrorCode::app_unknown);
  EXPECT_EQ(w.refusal(token, ""), ErrorCode::app_unknown);
  EXPECT_EQ(w.refusal(token, "app_1", "ava_1b"), ErrorCode::forbidden);
  EXPECT_EQ(w.refusal(token, "app_1", "ava_2"), ErrorCode::avatar_unknown);
  EXPECT_EQ(w.refusal(token, "app_1", "ava_nobody"), ErrorCode::avatar_unknown);
  EXPECT_TRUE(w.show(token)) << "none of these refusals may cost the token its use";
}

// Rule built-in-ids.
TEST(AdmitConnection, ABuiltInAvatarIsThereInEveryWorkspace) {
  World w;
  auto wish = w.wish();
  const std::string built_in(rules::built_in_avatars().front().id);
  wish.avatar_id = built_in;
  EXPECT_TRUE(w.show(w.mint(wish), "app_1", built_in));
  EXPECT_TRUE(w.show(w.mint(w.wish()), "app_1", built_in)) << "a token for any avatar";
}

TEST(AdmitConnection, TheTokenIsJudgedBeforeTheAppAndTheAppBeforeTheAvatar) {
  World w;
  EXPECT_EQ(w.refusal("bogus", "app_nobody", "ava_nobody"), ErrorCode::unauthenticated);
  EXPECT_EQ(w.refusal(w.mint(w.wish()), "app_nobody", "ava_nobody"), ErrorCode::app_unknown);
}

TEST(AdmitConnection, AnExpiredTokenIsToldThatItExpired) {
  World w;
  const auto token = w.mint(w.wish());
  w.clock.advance(10min);
  EXPECT_EQ(w.refusal(token), ErrorCode::token_expired);
}

// Rule api-key-revoked-with-all-it-opened.
TEST(AdmitConnection, WhatARevokedKeyHasMintedOpensNothing) {
  World w;
  const auto token = w.mint(w.wish());
  (void)w.keys.revoke(w.caller().api_key_id(), w.clock.now(), "leaked", {});
  EXPECT_EQ(w.refusal(token), ErrorCode::unauthenticated);
}

// Rule leash-concurrency.
TEST(AdmitConnection, AFullAppRefusesAndTheTokenStaysUnspent) {
  World w;
  w.book.apps["app_1"].limits.sessions_max = 1;
  auto first = w.show(w.mint(w.wish()));
  ASSERT_TRUE(first);
  const auto token = w.mint(w.wish());
  EXPECT_EQ(w.refusal(token), ErrorCode::concurrency_limited);
  first = base::fail(ErrorCode::not_found, "the session has ended");
  EXPECT_TRUE(w.show(token));
}

// Rule leash-concurrency.
TEST(AdmitConnection, ATestKeyThatTakesAllTestPlacesKeepsNoLiveUserOutAndTheOtherWayRound) {
  World w;
  w.book.apps["app_1"].limits.sessions_max = 1;
  const auto of_test = w.show(w.mint(w.wish()));
  ASSERT_TRUE(of_test);
  const auto second_of_test = w.mint(w.wish());
  EXPECT_EQ(w.refusal(second_of_test), ErrorCode::concurrency_limited);
  w.key = w.make_key("app_1", rules::Environment::live)->text.secret().expose();
  const auto of_live = w.show(w.mint(w.wish()));
  EXPECT_TRUE(of_live);
  EXPECT_EQ(w.refusal(w.mint(w.wish())), ErrorCode::concurrency_limited);
}

// Rule app-monthly-minutes.
TEST(AdmitConnection, WhenTheMinutesAreUsedUpNothingIsMintedOrOpenedAndTheTokenStaysUnspent) {
  World w;
  w.key = w.make_key("app_1", rules::Environment::live)->text.secret().expose();
  w.book.apps["app_1"].limits.monthly_minutes = 1;
  const auto token = w.mint(w.wish());
  w.minutes.seconds = 60;
  EXPECT_EQ(w.refusal(token), ErrorCode::payment_required);
  EXPECT_EQ(w.mint_token(w.caller(), w.wish()).error().code, ErrorCode::payment_required);
  EXPECT_TRUE(w.minutes.begun.empty());
  w.book.apps["app_1"].limits.monthly_minutes = 2;
  const auto grant = w.show(token);
  ASSERT_TRUE(grant);
  EXPECT_EQ(w.minutes.begun, std::vector<std::string>{grant->session_id() + " 1"});
}

// Rule rate-limit-of-end-user.
TEST(AdmitConnection, AnEndUserOverTheirLimitIsRefusedAndTheTokenStaysUnspent) {
  World w;
  auto& limits = w.book.apps["app_1"].limits;
  limits.token_uses_max = 3;
  limits.end_user_limit = rules::RateLimit{1, 1min, 1};
  auto wish = w.wish();
  wish.end_user_id = "ada";
  const auto token = w.mint(wish);
  EXPECT_EQ(w.mint_token(w.caller(), wish).error().code, ErrorCode::rate_limited);
  ASSERT_TRUE(w.show(token));
  EXPECT_EQ(w.refusal(token), ErrorCode::rate_limited);
  w.clock.advance(1min);
  EXPECT_TRUE(w.show(token));
}

TEST(AdmitConnection, WhereTheRedemptionCannotBeKeptNobodyIsLetIn) {
  World w;
  w.spent.is_broken = true;
  EXPECT_EQ(w.refusal(w.mint(w.wish())), ErrorCode::unavailable);
  EXPECT_EQ(w.live.count(), 0u) << "and no place stays taken";
}

// Rule session-token-origins.
TEST(AdmitConnection, AForeignPagesOriginIsRefusedAndTheTokenStaysUnspent) {
  World w;
  auto wish = w.wish();
  wish.allowed_origins = {"https://a.example"};
  const auto token = w.mint(wish);
  w.origin = "https://evil.example";
  EXPECT_EQ(w.refusal(token), ErrorCode::forbidden);
  w.origin.reset();
  EXPECT_EQ(w.refusal(token), ErrorCode::forbidden);
  w.origin = "https://a.example";
  EXPECT_TRUE(w.show(token));
}

// Rule session-token-regions.
TEST(AdmitConnection, ATokenForOtherRegionsIsRefused) {
  World w;
  auto wish = w.wish();
  wish.regions = {"eu"};
  EXPECT_EQ(w.refusal(w.mint(wish)), ErrorCode::forbidden);
  wish.regions = {"eu", "us-west"};
  EXPECT_TRUE(w.show(w.mint(wish)));
}

TEST(AdmitConnection, ASessionIsKnownByAllThatItsTokenSays) {
  World w;
  auto wish = w.wish();
  wish.end_user_id = "user-7";
  wish.metadata = R"({"room":7})";
  const auto grant = w.show(w.mint(wish));
  ASSERT_TRUE(grant);
  const auto session = grant->live_session();
  EXPECT_EQ(session.workspace_id, "ws_1");
  EXPECT_EQ(session.end_user_id, "user-7");
  EXPECT_EQ(session.metadata, R"({"room":7})");
  EXPECT_EQ(session.minted_at, w.clock.now());
  EXPECT_EQ(session.ends_at, w.clock.now() + 2h);
  EXPECT_EQ(session.peer, "192.0.2.7");
  EXPECT_EQ(session.dialect, "spatius");
  EXPECT_EQ(session.id, grant->session_id());
  EXPECT_NE(session.id, w.show(w.mint(wish))->session_id());
}

TEST(MintSessionToken, RefusesWhatIsTooMuchAndSaysSo) {
  World w;
  const auto refusal = [&](auto change) {
    auto wish = w.wish();
    change(wish);
    const auto minted = w.mint_token(w.caller(), wish);
    return minted ? std::string("minted") : minted.error().hint;
  };
  using Wish = MintSessionToken::Request;
  EXPECT_NE(refusal([](Wish& wish) { wish.allowed_origins = {"a.example"}; }).find("origins"),
            std::string::npos);
  EXPECT_NE(refusal([&](Wish& wish) { wish.connect_by = w.clock.now(); }).find("connect_by"),
            std::string::npos);
  EXPECT_NE(refusal([](Wish& wish) { wish.end_user_id = std::string(257, 'u'); }).find("256"),
            std::string::npos);
  // Each within its own bound, and together too long.
  EXPECT_NE(refusal([](Wish& wish) {
              wish.allowed_origins.assign(8, "https://" + std::string(240, 'a'));
              wish.metadata = "{\"m\":\"" + std::string(1000, 'm') + "\"}";
            }).find("4096 bytes"),
            std::string::npos);
}

// Rule leash-warning.
TEST(MintSessionToken, AWarningIsAtMostAsLongBeforeAsTheSessionLasts) {
  World w;
  auto wish = w.wish();
  wish.length_max = 60s;
  wish.warning_before = 90s;
  EXPECT_EQ(w.mint_token(w.caller(), wish)->applied.leash.warning_before, 60s);
  wish.warning_before.reset();
  EXPECT_EQ(w.mint_token(w.caller(), wish)->applied.leash.warning_before, 0s);
}

// Rule app-chosen-by-its-owner.
TEST(ChooseApp, AKeyMeansItsOwnAppAndEnvironmentWhateverItNames) {
  World w;
  const auto caller = w.caller();
  const auto own = choose_app(w.book, caller, "", std::nullopt);
  ASSERT_TRUE(own);
  EXPECT_EQ(own->app->id, "app_1");
  EXPECT_EQ(own->environment, rules::Environment::test);
  EXPECT_TRUE(choose_app(w.book, caller, "app_1", rules::Environment::test));
  for (const auto* other : {"app_2", "app_nobody"})
    EXPECT_EQ(choose_app(w.book, caller, other, std::nullopt).error().code,
              ErrorCode::app_mismatch);
  EXPECT_EQ(choose_app(w.book, caller, "", rules::Environment::live).error().code,
            ErrorCode::forbidden);
}

}  // namespace
}  // namespace stagedoor::actions
