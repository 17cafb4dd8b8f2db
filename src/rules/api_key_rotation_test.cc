#include "rules/api_key_rotation.h"

#include <gtest/gtest.h>

#include "rules/api_key_records.h"

namespace stagedoor::rules {
namespace {

using base::ErrorCode;
using namespace std::chrono_literals;

const base::Instant noon = base::from_unix_seconds(1'795'000'000);

// Rule api-key-rotated-with-grace.
TEST(Rotation, TheGraceIsFromNothingToThirtyDays) {
  for (const auto grace : {0s, 1s, std::chrono::seconds(30 * 24h)}) EXPECT_TRUE(check_grace(grace));
  for (const auto grace : {-1s, std::chrono::seconds(30 * 24h) + 1s})
    EXPECT_EQ(check_grace(grace).error().code, ErrorCode::malformed);
}

// Rule api-key-rotated-with-grace.
TEST(Rotation, TheOldKeyNeverWorksPastItsOwnExpiry) {
  const Retirement retirement{.now = noon, .grace = 1h};
  EXPECT_EQ(retirement.end_of(std::nullopt), noon + 1h);
  EXPECT_EQ(retirement.end_of(noon + 2h), noon + 1h);
  EXPECT_EQ(retirement.end_of(noon + 10min), noon + 10min);
}

// Rule api-key-rotated-with-grace.
TEST(Rotation, AKeyThatCantBeRotatedIsToldWhy) {
  const Retirement at_once{.now = noon}, with_grace{.now = noon, .grace = 1h};
  ApiKey key;
  EXPECT_TRUE(check_may_rotate(key, with_grace));
  key.frozen_at = noon;
  EXPECT_FALSE(check_may_rotate(key, with_grace)) << "a frozen key gets no grace";
  EXPECT_TRUE(check_may_rotate(key, at_once));
  key = {};
  key.replaced_by = 7;
  EXPECT_FALSE(check_may_rotate(key, at_once));
  key = {};
  key.revoked_at = noon;
  EXPECT_FALSE(check_may_rotate(key, at_once));
  key = {};
  key.expires_at = noon;
  const auto expired = check_may_rotate(key, at_once);
  ASSERT_FALSE(expired);
  EXPECT_EQ(expired.error().code, ErrorCode::conflict);
  EXPECT_FALSE(expired.error().hint.empty());
}

TEST(ApiKeyCursor, IsReadBackAsTheSameAndNothingElseIsRead) {
  const ApiKeyCursor cursor{"app_1", Environment::live, 123};
  const auto read = read_api_key_cursor(text_of(cursor));
  ASSERT_TRUE(read);
  EXPECT_EQ(text_of(*read), text_of(cursor));
  for (const auto* text : {"", "a.live", "a.live.1.key_0000000000000007", "a.prod.1", "a.live.x",
                           "a.live.", "a.live.1x"})
    EXPECT_FALSE(read_api_key_cursor(text)) << text;
}

}  // namespace
}  // namespace stagedoor::rules
