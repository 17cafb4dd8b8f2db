#include "rules/redemption.h"

#include <gtest/gtest.h>

namespace stagedoor::rules {
namespace {

ClientMarker marker(std::initializer_list<std::string_view> secrets) {
  std::vector<crypto::HmacKey> keys;
  for (const auto secret : secrets) keys.emplace_back(base::Secret(secret));
  return ClientMarker(std::move(keys));
}

const SessionTokenId one{1}, two{2};
const std::string nonce = "a-nonce-of-a-client";

// Rule session-token-retry-by-same-client.
TEST(ClientMarker, AMarkIsOfOneNonceAndOneTokenAndShowsNeither) {
  const auto kept = marker({"k"}).marks(nonce, one);
  ASSERT_TRUE(kept);
  EXPECT_EQ(*kept, *marker({"k"}).marks(nonce, one));
  EXPECT_NE(*kept, *marker({"k"}).marks(nonce, two));
  EXPECT_NE(*kept, *marker({"k"}).marks(nonce + "x", one));
  EXPECT_NE(*kept, *marker({"l"}).marks(nonce, one));
}

// Rule server-secret-rotates.
TEST(ClientMarker, AClientIsKnownAfterTheServerSecretWasRotated) {
  const auto before = marker({"old"}).marks(nonce, one);
  const auto after = marker({"new", "old"}).marks(nonce, one);
  ASSERT_EQ(after->size(), 2u);
  EXPECT_EQ(after->back(), before->front());
}

TEST(MayResume, WhomWeSentAwayStaysAway) {
  for (const auto* reason : {"", "client", "lost", "replaced", "server_died", "shutting_down"})
    EXPECT_TRUE(may_resume(reason)) << reason;
  for (const auto* reason :
       {"revoked", "ended", "length_reached", "idle", "protocol", "unheard-of"})
    EXPECT_FALSE(may_resume(reason)) << reason;
}

}  // namespace
}  // namespace stagedoor::rules
