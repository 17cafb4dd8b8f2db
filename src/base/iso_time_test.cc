#include "base/iso_time.h"

#include <gtest/gtest.h>

namespace stagedoor::base {
namespace {

using namespace std::chrono_literals;

const Instant moment = from_unix_seconds(1'795'534'021) + 250ms;

TEST(IsoTime, WhatIsWrittenIsReadAgain) {
  EXPECT_EQ(iso_time(moment), "2026-11-24T15:27:01.250Z");
  EXPECT_EQ(parse_iso_time(iso_time(moment)), moment);
}

TEST(IsoTime, ADayIsItsFirstMomentAndAZoneIsTakenIntoAccount) {
  EXPECT_EQ(parse_iso_time("2026-11-24"), from_unix_seconds(1'795'478'400));
  EXPECT_EQ(parse_iso_time("2026-11-24T16:27:01.25+01:00"), moment);
  EXPECT_EQ(parse_iso_time("2026-11-24T09:57:01.250999-05:30"), moment);
  EXPECT_EQ(parse_iso_time("2026-11-24T15:27:01Z"), moment - 250ms);
  EXPECT_TRUE(parse_iso_time("2028-02-29"));
}

TEST(IsoTime, AllElseIsNoTime) {
  for (const auto* text : {"",
                           "2026",
                           "2026-11",
                           "2026-13-01",
                           "2026-02-29",
                           "2026-11-24 15:27:01Z",
                           "2026-11-24T15:27Z",
                           "2026-11-24T15:27:01",
                           "2026-11-24T24:00:00Z",
                           "2026-11-24T15:60:01Z",
                           "2026-11-24T15:27:61Z",
                           "2026-11-24T15:27:01.Z",
                           "2026-11-24T15:27:01+1:00",
                           "2026-11-24T15:27:01+24:00",
                           "2026-11-24T15:27:01Zx",
                           "1969-12-31",
                           "1970-01-01T00:00:00+01:00",
                           "-026-11-24",
                           "2026-11-24T15:27:01.1234567890Z",
                           "9999-12-31T23:59:59-01:00"})
    EXPECT_FALSE(parse_iso_time(text)) << text;
}

}  // namespace
}  // namespace stagedoor::base
