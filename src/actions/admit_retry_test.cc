// What a client that comes back is let in to, where a new one is not.
#include <gtest/gtest.h>

#include "actions/credentials_world_for_test.h"

namespace stagedoor::actions {
namespace {

using namespace credentials;

// A client that has a session, and shows its token again.
struct Returning : World {
  explicit Returning(int uses = 1) {
    book.apps["app_1"].limits.end_user_limit = rules::RateLimit{1, 1min, 1};
    book.apps["app_1"].limits.token_uses_max = uses;
    nonce = "the-clients-own-nonce";
    auto wish = this->wish();
    wish.end_user_id = "ada";
    wish.uses_max = uses;
    token = mint(wish);
    first.emplace(show(token));
  }
  std::string token;
  std::optional<AdmitConnection::Admitted> first;
};

// Rule session-token-retry-takes-nothing.
TEST(AdmitConnection, ARetryTakesNothingOfItsEndUsersLimit) {
  Returning w;
  ASSERT_TRUE(*w.first);
  for (int retry = 0; retry < 3; ++retry) {
    const auto again = w.show(w.token);
    ASSERT_TRUE(again) << again.error().detail;
    EXPECT_EQ(again->session_id(), (*w.first)->session_id());
  }
}

// Rule session-token-retry-takes-nothing.
TEST(AdmitConnection, ARetryOfATokenForSeveralSessionsIsLetInWhereANewSessionIsOverTheLimit) {
  Returning w(2);
  ASSERT_TRUE(*w.first);
  const auto again = w.show(w.token);
  ASSERT_TRUE(again) << again.error().detail;
  EXPECT_EQ(again->session_id(), (*w.first)->session_id());
  w.nonce = "another-client-nonce";
  EXPECT_EQ(w.refusal(w.token), ErrorCode::rate_limited) << "the second use is a new session";
}

// Rule session-token-retry-takes-nothing.
TEST(AdmitConnection, ADoorWithoutRoomLetsInOnlyWhoComesBackAndSpendsNoToken) {
  Returning w;
  ASSERT_TRUE(*w.first);
  w.no_room = base::Error{ErrorCode::unavailable, "the house is full", "Try again."};
  EXPECT_TRUE(w.show(w.token));
  w.nonce = "another-client-nonce";
  EXPECT_EQ(w.refusal(w.token), ErrorCode::token_spent);
  const auto other = w.mint(w.wish());
  EXPECT_EQ(w.refusal(other), ErrorCode::unavailable);
  w.no_room.reset();
  EXPECT_TRUE(w.show(other)) << "it was not spent";
}

TEST(AdmitConnection, WhoseSessionIsNotLiveAnyMoreIsRefusedByADoorWithoutRoom) {
  Returning w;
  w.first.reset();
  w.no_room = base::Error{ErrorCode::unavailable, "the house is full", "Try again."};
  EXPECT_EQ(w.refusal(w.token), ErrorCode::unavailable);
}

// Rule rate-limit-of-end-user.
TEST(AdmitConnection, AnAppThatIsFullTakesNothingOfTheEndUsersLimit) {
  World w;
  w.book.apps["app_1"].limits.end_user_limit = rules::RateLimit{2, 1min, 2};
  w.book.apps["app_1"].limits.sessions_max = 1;
  auto wish = w.wish();
  wish.end_user_id = "ada";
  const auto token = w.mint(wish);
  auto first = w.show(w.mint(w.wish()));
  ASSERT_TRUE(first);
  for (int attempt = 0; attempt < 5; ++attempt)
    EXPECT_EQ(w.refusal(token), ErrorCode::concurrency_limited);
  first = base::fail(ErrorCode::not_found, "gone");
  EXPECT_TRUE(w.show(token));
}

}  // namespace
}  // namespace stagedoor::actions
