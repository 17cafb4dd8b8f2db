#include "actions/revoke_session_tokens.h"

#include <gtest/gtest.h>

#include "actions/credentials_world_for_test.h"

namespace stagedoor::actions {
namespace {

using base::ErrorCode;
using namespace std::chrono_literals;
using namespace credentials;

// Rule session-token-revoked-with-its-sessions.
TEST(RevokeSessionTokens, WhatWasMintedUpToNowOpensNothingAndWhatIsMintedLaterDoes) {
  using rules::RevokedSubject;
  for (const auto subject :
       {RevokedSubject::token, RevokedSubject::end_user, RevokedSubject::api_key,
        RevokedSubject::app, RevokedSubject::avatar}) {
    World w;
    auto wish = w.wish();
    wish.end_user_id = "user-7";
    const auto token = w.mint(wish);
    const auto value = subject == RevokedSubject::token      ? token
                       : subject == RevokedSubject::end_user ? "user-7"
                       : subject == RevokedSubject::api_key  ? w.caller().actor()
                       : subject == RevokedSubject::app      ? "app_1"
                                                             : "ava_1";
    const auto named = std::string(rules::name_of(subject));
    ASSERT_TRUE(w.revoke(w.caller(), {subject, value, std::nullopt, "192.0.2.7", "req-1"}))
        << named;
    EXPECT_EQ(w.refusal(token), ErrorCode::unauthenticated) << named;
    ASSERT_EQ(w.revocations.entries.size(), 1u);
    EXPECT_EQ(w.revocations.entries[0].action, "session_token.revoke");
    EXPECT_EQ(w.revocations.entries[0].subject.find("eyJ"), std::string::npos);
    w.clock.advance(1ms);
    EXPECT_TRUE(w.show(w.mint(wish))) << named;
  }
}

TEST(RevokeSessionTokens, ForeignTokensAndAppsAreNotThere) {
  World w;
  using rules::RevokedSubject;
  const auto refusal = [&](RevokedSubject subject, std::string_view value) {
    const auto done = w.revoke(w.caller(), {subject, value, std::nullopt, "", ""});
    return done ? ErrorCode::unsupported : done.error().code;
  };
  const auto other = w.make_key("app_2", rules::Environment::test);
  const auto foreign = w.mint_token(*w.authenticate(other->text.secret().expose(), here), w.wish());
  EXPECT_EQ(refusal(RevokedSubject::token, foreign->token.expose()), ErrorCode::not_found);
  EXPECT_EQ(refusal(RevokedSubject::token, "bogus"), ErrorCode::not_found);
  EXPECT_EQ(refusal(RevokedSubject::app, "app_2"), ErrorCode::app_mismatch);
  // A live token, which a test key knows nothing of.
  const auto live = w.make_key("app_1", rules::Environment::live);
  const auto minted = w.mint_token(*w.authenticate(live->text.secret().expose(), here), w.wish());
  EXPECT_EQ(refusal(RevokedSubject::token, minted->token.expose()), ErrorCode::not_found);
  EXPECT_TRUE(w.revocations.kept.empty());
}

// Rule session-token-revoked-with-its-sessions.
TEST(RevokeSessionTokens, AnEndUserOfAnotherAppOrEnvironmentIsNotMeant) {
  World w;
  auto wish = w.wish();
  wish.end_user_id = "user-7";
  ASSERT_TRUE(w.revoke(w.caller(), {rules::RevokedSubject::end_user, "user-7", {}, "", ""}));
  const auto live = w.make_key("app_1", rules::Environment::live);
  const auto minted = w.mint_token(*w.authenticate(live->text.secret().expose(), here), wish);
  EXPECT_TRUE(w.show(minted->token.expose()));
}

}  // namespace
}  // namespace stagedoor::actions
