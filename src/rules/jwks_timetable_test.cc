// When an issuer is asked for its keys, and when it is left alone.
#include <gtest/gtest.h>

#include "rules/jwks_timetable.h"

namespace stagedoor::rules {
namespace {

using Advice = JwksTimetable::Advice;
using namespace std::chrono_literals;

const base::Instant start = base::from_unix_seconds(1'800'000'000);

JwksTimetable with_set(std::chrono::seconds fresh_for = 1h, base::Instant now = start) {
  JwksTimetable made;
  made.began(now);
  made.succeeded(fresh_for, now);
  return made;
}

// Rule jwks-by-cache-control.
TEST(JwksFreshness, MaxAgeIsTakenWithinAMinuteAndADay) {
  EXPECT_EQ(jwks_freshness("public, max-age=19845, must-revalidate, no-transform", ""), 19845s);
  EXPECT_EQ(jwks_freshness("Max-Age=600", ""), 600s);
  EXPECT_EQ(jwks_freshness("max-age=\"600\"", ""), 600s);
  EXPECT_EQ(jwks_freshness("max-age=600", "100"), 500s);
  EXPECT_EQ(jwks_freshness("max-age=600", "900"), 60s);
  EXPECT_EQ(jwks_freshness("max-age=0", ""), 60s);
  EXPECT_EQ(jwks_freshness("max-age=99999999999999999999", ""), 24h);
  EXPECT_EQ(jwks_freshness("max-age=604800", ""), 24h);
}

// Rule jwks-by-cache-control.
TEST(JwksFreshness, WhatForbidsKeepingOrCantBeReadIsTheShortest) {
  for (const auto* text : {"no-store", "no-cache, max-age=600", "max-age=600, NO-STORE",
                           "max-age=x", "max-age=-1", "max-age=", "max-age=600, max-age=x"})
    EXPECT_EQ(jwks_freshness(text, ""), 60s) << text;
  EXPECT_EQ(jwks_freshness("max-age=700, max-age=600", ""), 600s);
}

// Rule jwks-by-cache-control.
TEST(JwksFreshness, WithoutMaxAgeItIsTenMinutes) {
  for (const auto* text : {"", "public", ",,,", "s-maxage=5", "max-age", "x-max-age=7"})
    EXPECT_EQ(jwks_freshness(text, "50"), 10min) << text;
}

// Rule jwks-by-cache-control.
TEST(JwksTimetable, AFreshSetIsUsedAndFetchedAheadOfItsEnd) {
  auto table = with_set(1h);
  EXPECT_EQ(table.for_known_key(start), Advice::use);
  EXPECT_EQ(table.for_known_key(start + 47min), Advice::use);
  EXPECT_EQ(table.quiet_until(), start + 48min);
  EXPECT_EQ(table.for_known_key(start + 48min), Advice::use_and_fetch);
  table.began(start + 48min);
  EXPECT_EQ(table.for_known_key(start + 49min), Advice::use);
  table.succeeded(1h, start + 49min);
  EXPECT_EQ(table.for_known_key(start + 70min), Advice::use);
}

TEST(JwksTimetable, ASetThatNobodyUsedUntilItWentStaleIsFetchedBeforeItIsBelieved) {
  auto table = with_set(1h);
  EXPECT_EQ(table.for_known_key(start + 3h), Advice::fetch_and_wait);
  table.began(start + 3h);
  EXPECT_EQ(table.for_known_key(start + 3h), Advice::wait);
}

TEST(JwksTimetable, WithoutASetOneFetchesAndTheOthersWait) {
  JwksTimetable table;
  EXPECT_EQ(table.for_unknown_key("a", start), Advice::fetch_and_wait);
  EXPECT_EQ(table.quiet_until(), base::Instant());
  table.began(start);
  EXPECT_EQ(table.for_unknown_key("a", start), Advice::wait);
  EXPECT_TRUE(table.is_fetching());
}

// Rule jwks-cool-down.
TEST(JwksTimetable, UnknownKeysMakeOneFetchInThirtySeconds) {
  auto table = with_set(1h);
  const auto at = [&](std::chrono::seconds after) {
    return table.for_unknown_key("kid " + std::to_string(after.count()), start + after);
  };
  EXPECT_EQ(at(0s), Advice::no_such_key);
  EXPECT_EQ(at(29s), Advice::no_such_key);
  EXPECT_EQ(at(30s), Advice::fetch_and_wait);
  table.began(start + 30s);
  EXPECT_EQ(at(31s), Advice::wait) << "one at a time";
  table.succeeded(1h, start + 32s);
  EXPECT_EQ(at(59s), Advice::no_such_key);
  EXPECT_EQ(at(60s), Advice::fetch_and_wait);
}

// Rule jwks-cool-down.
TEST(JwksTimetable, AKeyThatWasSeenMissingIsNotAskedForAgainForFiveMinutes) {
  auto table = with_set(1h);
  table.saw_no("gone", start);
  EXPECT_EQ(table.for_unknown_key("gone", start + 299s), Advice::no_such_key);
  EXPECT_EQ(table.for_unknown_key("other", start + 299s), Advice::fetch_and_wait);
  EXPECT_EQ(table.for_unknown_key("gone", start + 300s), Advice::fetch_and_wait);
}

// Rule jwks-cool-down.
TEST(JwksTimetable, TheMissingKeysRememberedAreBounded) {
  auto table = with_set(1h);
  for (int i = 0; i < 10'000; ++i) table.saw_no(std::to_string(i), start);
  EXPECT_EQ(table.for_unknown_key("9999", start + 40s), Advice::no_such_key);
  EXPECT_EQ(table.for_unknown_key("9872", start + 40s), Advice::no_such_key);
  EXPECT_EQ(table.for_unknown_key("9871", start + 40s), Advice::fetch_and_wait);
}

// Rule jwks-stale-served.
TEST(JwksTimetable, WhileTheIssuerIsDownTheStaleSetIsServedWithoutWaiting) {
  auto table = with_set(1h);
  table.began(start + 2h);
  table.failed(start + 2h);
  EXPECT_EQ(table.for_known_key(start + 2h + 1s), Advice::use);
  for (int minute = 0; minute < 60; ++minute) {
    const auto now = start + 2h + 40s + minute * 1min;
    EXPECT_EQ(table.for_known_key(now), Advice::use_and_fetch);
    table.began(now);
    EXPECT_EQ(table.for_known_key(now + 1s), Advice::use);
    table.failed(now + 5s);
  }
  EXPECT_EQ(table.for_unknown_key("new", start + 3h), Advice::unavailable)
      << "it may be genuine: nobody can tell";
}

// Rule jwks-stale-served.
TEST(JwksTimetable, AStaleSetEndsADayAfterItsFreshness) {
  auto table = with_set(1h);
  table.began(start + 25h - 1s);
  table.failed(start + 25h - 1s);
  EXPECT_EQ(table.for_known_key(start + 25h - 1ms), Advice::use);
  EXPECT_EQ(table.for_known_key(start + 25h), Advice::unavailable);
  EXPECT_EQ(table.for_known_key(start + 25h + 30s), Advice::unavailable_and_fetch);
}

TEST(JwksTimetable, NobodyWaitsForAnIssuerThatHasJustFailed) {
  JwksTimetable table;
  table.began(start);
  table.failed(start + 5s);
  EXPECT_EQ(table.for_unknown_key("a", start + 6s), Advice::unavailable);
  EXPECT_EQ(table.for_unknown_key("a", start + 30s), Advice::unavailable_and_fetch);
  table.began(start + 30s);
  EXPECT_EQ(table.for_unknown_key("a", start + 31s), Advice::unavailable);
  table.succeeded(1h, start + 32s);
  EXPECT_EQ(table.for_known_key(start + 32s), Advice::use);
}

// Rule jwks-good-keys-stay.
TEST(JwksTimetable, AFailedFetchTakesNothingAway) {
  auto table = with_set(1h);
  table.began(start + 31s);
  table.failed(start + 32s);
  table.saw_no("x", start + 33s);
  EXPECT_EQ(table.for_known_key(start + 34s), Advice::use);
  EXPECT_EQ(table.quiet_until(), start + 48min);
}

TEST(JwksTimetable, AClockThatIsPutBackDoesNotStopFetching) {
  auto table = with_set(1h);
  EXPECT_EQ(table.for_unknown_key("a", start - 5h), Advice::fetch_and_wait);
}

}  // namespace
}  // namespace stagedoor::rules
