#include "rules/rate_limit.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <random>
#include <vector>

namespace stagedoor::rules {
namespace {

using namespace std::chrono_literals;
using base::Instant;

constexpr Instant start{1'800'000'000s};

RateLimit limit_of(std::string_view text) {
  const auto limit = read_rate_limit(text);
  EXPECT_TRUE(limit) << text;
  return limit.value_or(RateLimit{});
}

int allowed_at_once(std::int64_t& arrival, const RateLimit& limit, Instant now) {
  int allowed = 0;
  while (take(arrival, limit, now).is_allowed) ++allowed;
  return allowed;
}

// Rule rate-limit-gcra.
TEST(RateLimit, TenAMinuteBurstTwentyAdmitsTwentyAtOnceAndThenOneEachSixSeconds) {
  const auto limit = limit_of("10/min burst 20");
  std::int64_t arrival = 0;
  EXPECT_EQ(allowed_at_once(arrival, limit, start), 20);
  EXPECT_EQ(allowed_at_once(arrival, limit, start + 5'999ms), 0);
  for (int i = 1; i <= 50; ++i) {
    EXPECT_FALSE(take(arrival, limit, start + i * 6s - 1ms).is_allowed);
    EXPECT_TRUE(take(arrival, limit, start + i * 6s).is_allowed);
    EXPECT_FALSE(take(arrival, limit, start + i * 6s).is_allowed);
  }
  EXPECT_EQ(allowed_at_once(arrival, limit, start + 300s + 119'999ms), 19);
  EXPECT_EQ(allowed_at_once(arrival, limit, start + 1h), 20);
}

TEST(RateLimit, WhatIsToldIsExactAtEachCall) {
  const auto limit = limit_of("10/min burst 20");
  std::int64_t arrival = 0;
  for (unsigned i = 1; i <= 20; ++i) {
    const auto verdict = take(arrival, limit, start);
    EXPECT_TRUE(verdict.is_allowed);
    EXPECT_EQ(verdict.remaining, 20 - i);
    EXPECT_EQ(verdict.full_at, start + i * 6s);
    EXPECT_EQ(verdict.next_in, 6s);
    EXPECT_EQ(verdict.retry_after, i == 20 ? 6s : 0s);
  }
  auto refused = take(arrival, limit, start + 1s);
  EXPECT_FALSE(refused.is_allowed);
  EXPECT_EQ(refused.remaining, 0u);
  EXPECT_EQ(refused.retry_after, 5s);
  EXPECT_EQ(refused.full_at, start + 120s);
  const auto later = take(arrival, limit, start + 33s);
  EXPECT_EQ(later.remaining, 4u);
  EXPECT_EQ(later.next_in, 3s);
}

TEST(RateLimit, ARefusedCallCostsNothing) {
  const auto limit = limit_of("5/min");
  std::int64_t arrival = 0;
  EXPECT_EQ(allowed_at_once(arrival, limit, start), 5);
  const auto before = arrival;
  for (int i = 0; i < 1000; ++i) EXPECT_FALSE(take(arrival, limit, start + 11s).is_allowed);
  EXPECT_EQ(arrival, before);
  EXPECT_TRUE(take(arrival, limit, start + 12s).is_allowed);
}

// Any limit, any times that go forward, from seeds.
struct Walk {
  RateLimit limit;
  std::vector<std::int64_t> admitted_millis;
};

Walk walk_of(std::uint64_t seed) {
  std::mt19937_64 random(seed);
  const auto upto = [&](std::int64_t most) {
    return std::uniform_int_distribution<std::int64_t>(0, most)(random);
  };
  Walk walk;
  walk.limit = {.count = static_cast<std::uint32_t>(1 + upto(seed % 3 == 0 ? 1'000 : 20)),
                .period = 1ms * (1 + upto(seed % 2 == 0 ? 5'000 : 100)),
                .burst = static_cast<std::uint32_t>(1 + upto(30))};
  std::int64_t arrival = 0;
  auto millis = start.time_since_epoch().count();
  const auto step = 1 + 4 * walk.limit.interval().count() / 1'000'000;
  for (int i = 0; i < 600; ++i) {
    if (upto(2) == 0) millis += upto(step);
    const auto verdict = take(arrival, walk.limit, Instant(1ms * millis));
    if (verdict.is_allowed) walk.admitted_millis.push_back(millis);
  }
  return walk;
}

// Rule rate-limit-gcra.
TEST(RateLimit, OverAnyStretchAtMostTheBurstAndTheRateTimesTheStretchAreAdmitted) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    const auto walk = walk_of(seed);
    const auto& times = walk.admitted_millis;
    for (std::size_t from = 0; from < times.size(); ++from) {
      for (auto to = from; to < times.size(); ++to) {
        const auto stretch = static_cast<double>(times[to] - times[from]);
        const auto rate =
            static_cast<double>(walk.limit.count) / static_cast<double>(walk.limit.period.count());
        ASSERT_LE(static_cast<double>(to - from + 1), walk.limit.burst + stretch * rate + 1e-6)
            << "seed " << seed << ", " << text_of(walk.limit);
      }
    }
  }
}

TEST(RateLimit, WhoWaitsAsLongAsToldIsAdmittedAndNotAMillisecondEarlier) {
  for (std::uint64_t seed = 1; seed <= 500; ++seed) {
    std::mt19937_64 random(seed);
    const RateLimit limit{.count = static_cast<std::uint32_t>(1 + random() % 1000),
                          .period = 1ms * (1 + random() % 86'400'000),
                          .burst = static_cast<std::uint32_t>(1 + random() % 50)};
    std::int64_t arrival = 0;
    allowed_at_once(arrival, limit, start);
    const auto refused = take(arrival, limit, start);
    ASSERT_GT(refused.retry_after, 0ms);
    auto earlier = arrival, there = arrival;
    EXPECT_FALSE(take(earlier, limit, start + refused.retry_after - 1ms).is_allowed) << seed;
    EXPECT_TRUE(take(there, limit, start + refused.retry_after).is_allowed) << seed;
    auto full = arrival;
    EXPECT_EQ(allowed_at_once(full, limit, refused.full_at), static_cast<int>(limit.burst)) << seed;
  }
}

TEST(RateLimit, AClockThatIsSetBackCostsAtMostOneInterval) {
  const auto limit = limit_of("10/min burst 20");
  std::int64_t arrival = 0;
  EXPECT_EQ(allowed_at_once(arrival, limit, start), 20);
  const auto back = start - 24h;
  const auto verdict = take(arrival, limit, back);
  EXPECT_FALSE(verdict.is_allowed);
  EXPECT_EQ(verdict.retry_after, 6s);
  EXPECT_TRUE(take(arrival, limit, back + 6s).is_allowed);
}

TEST(RateLimit, AClockThatIsSetBackGivesNothingAway) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    std::mt19937_64 random(seed);
    const auto limit = limit_of("10/min burst 20");
    std::int64_t arrival = 0;
    int admitted = allowed_at_once(arrival, limit, start);
    auto now = start;
    for (int i = 0; i < 200; ++i) {
      now -= 1ms * static_cast<std::int64_t>(random() % 3'600'000);
      if (take(arrival, limit, now).is_allowed) ++admitted;
    }
    EXPECT_EQ(admitted, 20) << seed;
  }
}

TEST(RateLimit, ASmallerLimitHoldsAtOnce) {
  std::int64_t arrival = 0;
  const auto large = limit_of("1/hour burst 1000"), small = limit_of("5/min burst 10");
  EXPECT_EQ(allowed_at_once(arrival, large, start), 1000);
  EXPECT_EQ(take(arrival, small, start).retry_after, 12s);
  EXPECT_TRUE(take(arrival, small, start + 12s).is_allowed);
}

TEST(RateLimit, HostileValuesNeverOverflowAndNeverAdmitTooMuch) {
  constexpr auto most64 = std::numeric_limits<std::int64_t>::max();
  constexpr auto least64 = std::numeric_limits<std::int64_t>::min();
  constexpr auto most32 = std::numeric_limits<std::uint32_t>::max();
  const std::vector<std::int64_t> numbers = {least64, least64 + 1, -1,         0,
                                             1,       1'000'000,   most64 / 2, most64};
  for (const auto arrival : numbers)
    for (const auto now : numbers)
      for (const auto count : {1u, 2u, 999'999'937u, most32})
        for (const auto burst : {0u, 1u, 1'000'000'000u, most32})
          for (const auto period : numbers) {
            const RateLimit limit{.count = count, .period = 1ms * period, .burst = burst};
            auto moved = arrival;
            const auto verdict = take(moved, limit, Instant(1ms * now));
            EXPECT_LT(verdict.remaining, std::max(burst, 1u));
            EXPECT_GE(verdict.retry_after, 0ms);
            EXPECT_GE(verdict.next_in, 0ms);
            EXPECT_EQ(verdict.is_allowed || verdict.retry_after > 0ms, true);
          }
}

TEST(RateLimit, ABillionADayIsCountedToTheCall) {
  const auto limit = limit_of("1000000000/day burst 1000000");
  EXPECT_EQ(limit.interval(), 86'400ns);
  std::int64_t arrival = 0;
  EXPECT_EQ(allowed_at_once(arrival, limit, start), 1'000'000);
  EXPECT_EQ(allowed_at_once(arrival, limit, start + 1s), 11'574);
}

TEST(RateLimit, UnlimitedRefusesNothingAndRemembersNothing) {
  std::int64_t arrival = 0;
  for (int i = 0; i < 1000; ++i)
    EXPECT_TRUE(take(arrival, RateLimit::unlimited(), start).is_allowed);
  EXPECT_EQ(arrival, 0);
}

TEST(RateLimit, ALimitIsReadInPlainWords) {
  EXPECT_EQ(limit_of("10/min burst 20"), (RateLimit{10, 1min, 20}));
  EXPECT_EQ(limit_of("5/min"), (RateLimit{5, 1min, 5}));
  EXPECT_EQ(limit_of("3/5min"), (RateLimit{3, 5min, 3}));
  EXPECT_EQ(limit_of("3/5 min burst 4"), (RateLimit{3, 5min, 4}));
  EXPECT_EQ(limit_of("1/sec"), (RateLimit{1, 1s, 1}));
  EXPECT_EQ(limit_of("7/2hour"), (RateLimit{7, 2h, 7}));
  EXPECT_EQ(limit_of("1000000000/day"), (RateLimit{1'000'000'000, 24h, 1'000'000'000}));
  EXPECT_TRUE(limit_of("unlimited").is_unlimited());
}

TEST(RateLimit, WhatIsNoLimitIsRefusedWithAnExample) {
  for (const auto* text : {"",
                           "10",
                           "10/",
                           "/min",
                           "0/min",
                           "-1/min",
                           "+1/min",
                           "10/min burst 0",
                           "10/min burst",
                           "10/min burst -1",
                           "10/min  burst 20",
                           "10/min burst 20 ",
                           " 10/min",
                           "10 /min",
                           "10/ min",
                           "10/mins",
                           "10/minute",
                           "10/0min",
                           "10/2day",
                           "10/1441min",
                           "10/99999999999999999999min",
                           "1000000001/min",
                           "99999999999999999999/min",
                           "10/min burst 1000000001",
                           "1e3/min",
                           "10.5/min",
                           "Unlimited",
                           "10/min;burst 20",
                           "10/year"}) {
    const auto limit = read_rate_limit(text);
    ASSERT_FALSE(limit) << text;
    EXPECT_NE(limit.error().hint.find("10/min burst 20"), std::string::npos);
  }
}

TEST(RateLimit, WhatIsWrittenReadsBackAsTheSame) {
  for (const auto* text : {"10/min burst 20", "5/min", "3/5min", "1/sec burst 2", "7/90min",
                           "1000000000/day", "3/1500ms", "unlimited"})
    EXPECT_EQ(text_of(limit_of(text)), text);
  std::mt19937_64 random(1);
  for (int i = 0; i < 1000; ++i) {
    const RateLimit limit{.count = static_cast<std::uint32_t>(1 + random() % 1'000'000'000),
                          .period = 1ms * (1 + random() % 86'400'000),
                          .burst = static_cast<std::uint32_t>(1 + random() % 1'000'000'000)};
    EXPECT_EQ(limit_of(text_of(limit)), limit);
  }
}

TEST(RateLimit, EachKindIsFoundByItsName) {
  for (std::size_t i = 0; i < rate_kind_count; ++i)
    EXPECT_EQ(rate_kind_of(name_of(static_cast<RateKind>(i))), static_cast<RateKind>(i));
  EXPECT_FALSE(rate_kind_of("api_key"));
  EXPECT_FALSE(rate_kind_of(""));
}

}  // namespace
}  // namespace stagedoor::rules
