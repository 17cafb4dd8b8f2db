#include "rules/usage.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "rules/key_usage.h"

namespace stagedoor::rules {
namespace {

using namespace std::chrono_literals;

const base::Instant now = base::from_unix_seconds(1'795'000'000);

// Rule usage-of-tests-is-free.
TEST(Usage, SecondsOfTestSessionsAreCountedAndNotBillable) {
  UsageRow row;
  row.seconds = 60;
  row.environment = Environment::test;
  EXPECT_EQ(row.billable_seconds(), 0);
  row.environment = Environment::live;
  EXPECT_EQ(row.billable_seconds(), 60);
}

TEST(Usage, ACursorIsReadBackWhateverTheEndUserIsCalled) {
  for (const auto* who : {"", "user-7",
                          "a\x1F"
                          "b",
                          "\xC3\xA9 \"x\""}) {
    const UsageCursor cursor{
        .period_seconds = 1'795'000'000, .app_id = "app_1", .environment = 1, .who = who};
    const auto read = parse_usage_cursor(text_of(cursor));
    ASSERT_TRUE(read);
    EXPECT_EQ(read->period_seconds, cursor.period_seconds);
    EXPECT_EQ(read->app_id, "app_1");
    EXPECT_EQ(read->environment, 1);
    EXPECT_EQ(read->who, who);
  }
}

TEST(Usage, WhatIsNoCursorIsRefused) {
  for (const auto& text : {std::string(), std::string("x"), std::string("!!!"),
                           base::base64url("1\x1F"
                                           "app"),
                           base::base64url("1\x1F"
                                           "a\x1F"
                                           "7\x1F"
                                           "w"),
                           std::string(5000, 'A')})
    EXPECT_EQ(parse_usage_cursor(text).error().code, base::ErrorCode::malformed) << text;
}

base::Address address(const std::string& text) {
  return *base::parse_address(text);
}

// Rule usage-of-keys.
TEST(KeyCounts, PartsAddUpToWhatWasCountedInOne) {
  KeyCounts whole, one, other;
  for (int call = 0; call < 100; ++call) {
    const auto at = now + call * 2min;
    const auto client = address("192.0.2." + std::to_string(call % 7));
    const auto outcome = call % 5 == 0 ? CallOutcome::refused : CallOutcome::admitted;
    whole.add(client, outcome, at);
    (call % 3 == 0 ? one : other).add(client, outcome, at);
  }
  one.add(other);
  EXPECT_EQ(one.calls, 100);
  EXPECT_EQ(one.last_at, whole.last_at);
  EXPECT_EQ(one.last_client, whole.last_client);
  EXPECT_EQ(one.hours.size(), whole.hours.size());
  std::int64_t calls = 0, refusals = 0, from_networks = 0;
  for (const auto& hour : one.hours) {
    calls += hour.calls;
    refusals += hour.refusals;
  }
  for (const auto& network : one.networks) from_networks += network.calls;
  EXPECT_EQ(calls, 100);
  EXPECT_EQ(refusals, 20);
  EXPECT_EQ(from_networks, 100);
  EXPECT_EQ(one.networks.size(), 7u);
}

// Rule usage-networks-bounded.
TEST(KeyCounts, FurtherNetworksAreCountedTogether) {
  KeyCounts counts;
  for (int at = 0; at < 5000; ++at)
    counts.add(address("10.0." + std::to_string(at / 250) + "." + std::to_string(at % 250)),
               CallOutcome::admitted, now);
  ASSERT_EQ(counts.networks.size(), networks_per_key_max + 1);
  EXPECT_EQ(counts.networks.back().party, base::Address{});
  EXPECT_EQ(counts.networks.back().calls, 5000 - 256);
}

}  // namespace
}  // namespace stagedoor::rules
