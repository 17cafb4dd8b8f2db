#include "store/memory_rate_limits.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "crypto/random.h"

namespace stagedoor::store {
namespace {

using namespace std::chrono_literals;
using namespace std::string_view_literals;
using rules::RateKind;
using rules::RateLimit;

constexpr base::Instant start{1'800'000'000s};
constexpr RateLimit ten_a_minute{10, 1min, 20};

struct World {
  explicit World(MemoryRateLimits::Options options = {}) : limits(std::move(options), random) {}
  crypto::SystemRandom random;
  MemoryRateLimits limits;

  rules::RateVerdict call(std::string_view who, base::Instant now = start,
                          RateKind kind = RateKind::stranger,
                          const RateLimit& limit = ten_a_minute) {
    return limits.take(kind, who, limit, now);
  }
  int allowed_at_once(std::string_view who, base::Instant now = start,
                      RateKind kind = RateKind::stranger, const RateLimit& limit = ten_a_minute) {
    int allowed = 0;
    while (call(who, now, kind, limit).is_allowed) ++allowed;
    return allowed;
  }
};

// Rule rate-limit-gcra.
TEST(MemoryRateLimits, EachCallerHasAllOfItsBurstAndThenItsRate) {
  World w;
  for (const auto who : {"a"sv, "b"sv, ""sv, "\0"sv, "\0\0"sv, "longer than a word of a hash"sv}) {
    EXPECT_EQ(w.allowed_at_once(who), 20) << who;
    EXPECT_EQ(w.allowed_at_once(who, start + 6s), 1) << who;
  }
}

// Rule rate-limit-by-kind.
TEST(MemoryRateLimits, TheSameNameUnderAnotherKindIsAnotherCaller) {
  World w;
  for (std::size_t i = 0; i < rules::rate_kind_count; ++i)
    EXPECT_EQ(w.allowed_at_once("who", start, static_cast<RateKind>(i)), 20);
}

TEST(MemoryRateLimits, TheVerdictSaysWhichKindAndLimitItWas) {
  World w;
  const auto verdict = w.call("who", start, RateKind::login, {10, 1min, 10});
  EXPECT_EQ(verdict.kind, RateKind::login);
  EXPECT_EQ(verdict.limit, (RateLimit{10, 1min, 10}));
  EXPECT_EQ(verdict.remaining, 9u);
}

// Rule rate-limit-gcra.
TEST(MemoryRateLimits, ThirtyTwoThreadsAsOneCallerAreAdmittedExactlyTheBurst) {
  World w;
  for (int round = 0; round < 20; ++round) {
    const auto who = "caller " + std::to_string(round);
    std::atomic<int> admitted = 0;
    std::vector<std::thread> crowd;
    for (int i = 0; i < 32; ++i)
      crowd.emplace_back([&] {
        for (int call = 0; call < 50; ++call)
          if (w.call(who, start, RateKind::api_key).is_allowed) ++admitted;
      });
    for (auto& one : crowd) one.join();
    EXPECT_EQ(admitted, 20);
  }
}

// Two buckets that many callers meet in: none is counted twice, none gets two places.
TEST(MemoryRateLimits, ThirtyTwoThreadsAsTenCallersOfTwoBucketsAreEachAdmittedTheBurst) {
  World w({.callers_max = 1, .strangers_max = 1});
  std::array<std::atomic<int>, 10> admitted{};
  std::vector<std::thread> crowd;
  for (int i = 0; i < 32; ++i)
    crowd.emplace_back([&, i] {
      for (int call = 0; call < 1000; ++call) {
        const auto who = static_cast<std::size_t>(call + i) % admitted.size();
        if (w.call(std::to_string(who)).is_allowed) ++admitted[who];
      }
    });
  for (auto& one : crowd) one.join();
  for (const auto& count : admitted) EXPECT_EQ(count, 20);
  EXPECT_EQ(w.limits.overflow_uses(), 0u);
}

// Rule rate-limit-gcra.
TEST(MemoryRateLimits, NobodysCallsAreForgottenWhenTheTableMovesToHugePages) {
  World w({.callers_max = 1, .strangers_max = 100'000});
  for (int who = 0; who < 50'000; ++who) ASSERT_TRUE(w.call(std::to_string(who)).is_allowed);
  w.limits.tend();
  for (int who = 0; who < 50'000; ++who)
    ASSERT_EQ(w.call(std::to_string(who)).remaining, 18u) << who;
}

TEST(MemoryRateLimits, AgreesWithOneNumberPerCallerWhateverTheOrder) {
  World w({.callers_max = 4000, .strangers_max = 4000});
  std::mt19937_64 random(7);
  std::map<std::string, std::int64_t> model;
  auto now = start;
  for (int i = 0; i < 200'000; ++i) {
    now += 1ms * static_cast<std::int64_t>(random() % 3);
    const auto who = std::to_string(random() % 2000);
    const auto expected = rules::take(model[who], ten_a_minute, now);
    const auto got = w.call(who, now);
    ASSERT_EQ(got.is_allowed, expected.is_allowed) << i;
    ASSERT_EQ(got.remaining, expected.remaining) << i;
    ASSERT_EQ(got.full_at, expected.full_at) << i;
  }
  EXPECT_EQ(w.limits.overflow_uses(), 0u);
}

// Rule rate-limit-bounded.
TEST(MemoryRateLimits, AFullTableIsStricterForTheOnesTooManyAndUnchangedForThoseInIt) {
  World w({.callers_max = 8, .strangers_max = 8});
  const auto bytes = w.limits.bytes();
  std::map<std::string, int> admitted;
  for (int round = 0; round < 25; ++round)
    for (int i = 0; i < 3000; ++i) {
      const auto who = std::to_string(i);
      if (w.call(who).is_allowed) ++admitted[who];
    }
  int with_all = 0, total = 0;
  for (const auto& [who, count] : admitted) {
    EXPECT_LE(count, 20) << who;
    with_all += count == 20;
    total += count;
  }
  // Three buckets of seven places, and one allowance more for each; the last to find a place may
  // have used of that before.
  EXPECT_GE(with_all, 14);
  EXPECT_LE(total, 20 * (21 + 3));
  EXPECT_GT(w.limits.overflow_uses(), 0u);
  EXPECT_EQ(w.limits.bytes(), bytes);
}

// Rule rate-limit-bounded.
TEST(MemoryRateLimits, OverAnyStretchNobodyGetsMoreByComingAndGoingInAFullTable) {
  World w({.callers_max = 4, .strangers_max = 4});
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    std::mt19937_64 random(seed);
    std::map<std::string, std::vector<std::int64_t>> admitted;
    auto now = start + 24h * seed;
    for (int i = 0; i < 10'000; ++i) {
      now += 1ms * static_cast<std::int64_t>(random() % 200);
      const auto who = std::to_string(random() % 40);
      // Limits of different lengths share the allowance of the ones too many.
      const RateLimit limit = random() % 2 ? ten_a_minute : RateLimit{10, 1min, 3};
      if (w.call(who, now, RateKind::stranger, ten_a_minute).is_allowed)
        admitted[who].push_back(base::unix_millis(now));
      w.call("other " + who, now, RateKind::stranger, limit);
    }
    for (const auto& [who, times] : admitted)
      for (std::size_t from = 0; from < times.size(); ++from)
        for (auto to = from; to < times.size(); ++to)
          ASSERT_LE(static_cast<std::int64_t>(to - from + 1), 20 + (times[to] - times[from]) / 6000)
              << who << " seed " << seed;
  }
}

// Rule rate-limit-bounded.
TEST(MemoryRateLimits, PlacesComeBackOnceTheirCallersAreFullAgain) {
  World w({.callers_max = 8, .strangers_max = 8});
  for (int i = 0; i < 3000; ++i) w.call(std::to_string(i));
  const auto uses = w.limits.overflow_uses();
  EXPECT_EQ(w.allowed_at_once("newcomer", start + 10min), 20);
  EXPECT_EQ(w.limits.overflow_uses(), uses);
}

TEST(MemoryRateLimits, StrangersDoNotTakeThePlacesOfKeysAndPeople) {
  World w({.callers_max = 8, .strangers_max = 8});
  for (int i = 0; i < 3000; ++i) w.call(std::to_string(i));
  EXPECT_EQ(w.allowed_at_once("key", start, RateKind::api_key), 20);
  EXPECT_EQ(w.allowed_at_once("person", start, RateKind::person), 20);
}

TEST(MemoryRateLimits, AClockThatIsSetBackLocksNobodyOut) {
  World w({.callers_max = 1, .strangers_max = 1});
  for (int i = 0; i < 100; ++i) w.allowed_at_once(std::to_string(i));
  const auto back = start - 24h;
  for (int i = 0; i < 100; ++i) w.call(std::to_string(i), back);
  EXPECT_TRUE(w.call("0", back + 6s).is_allowed);
  EXPECT_EQ(w.allowed_at_once("newcomer", back + 10min), 20);
}

// Rule rate-limit-shadow.
TEST(MemoryRateLimits, ALimitThatOnlyWatchesAdmitsAndTellsAndCounts) {
  World w({.shadow = {RateKind::login}});
  for (int i = 0; i < 50; ++i) {
    const auto verdict = w.call("who", start, RateKind::login);
    EXPECT_TRUE(verdict.is_allowed);
    EXPECT_EQ(verdict.is_shadow, i >= 20);
  }
  EXPECT_EQ(w.allowed_at_once("who", start, RateKind::password), 20);
  EXPECT_EQ(w.limits.counts(RateKind::login).allowed, 20u);
  EXPECT_EQ(w.limits.counts(RateKind::login).shadowed, 30u);
  EXPECT_EQ(w.limits.counts(RateKind::login).refused, 0u);
  EXPECT_EQ(w.limits.counts(RateKind::password).refused, 1u);
}

TEST(MemoryRateLimits, UnlimitedAdmitsAndCountsAndTakesNoPlace) {
  World w({.callers_max = 8, .strangers_max = 8});
  for (int i = 0; i < 3000; ++i)
    EXPECT_TRUE(
        w.call(std::to_string(i), start, RateKind::stranger, RateLimit::unlimited()).is_allowed);
  EXPECT_EQ(w.limits.counts(RateKind::stranger).allowed, 3000u);
  EXPECT_EQ(w.limits.overflow_uses(), 0u);
  EXPECT_EQ(w.allowed_at_once("who"), 20);
}

}  // namespace
}  // namespace stagedoor::store
