#include "rules/monthly_minutes.h"

#include <gtest/gtest.h>

namespace stagedoor::rules {
namespace {

using base::ErrorCode;
using namespace std::chrono_literals;

base::Instant at(std::int64_t seconds) {
  return base::from_unix_seconds(seconds);
}

struct Meter : MinuteMeter {
  std::int64_t seconds_used(std::string_view, base::Instant) const override {
    ++asked;
    return seconds;
  }
  void begin(const LiveSession&, int, base::Instant) override {}
  std::int64_t seconds = 0;
  mutable int asked = 0;
};

TEST(MonthlyMinutes, AMonthBeginsAtMidnightUtcOfItsFirstDay) {
  EXPECT_EQ(month_of(at(1'795'000'000)), at(1'793'491'200)) << "November 2026";
  EXPECT_EQ(month_of(at(1'793'491'200)), at(1'793'491'200));
  EXPECT_EQ(month_of(at(1'793'491'200) - 1ms), at(1'790'812'800)) << "October";
  EXPECT_EQ(month_of(at(951'782'400)), at(949'363'200)) << "29 February 2000";
}

TEST(MonthlyMinutes, TheLastSecondBegunCountsWhole) {
  EXPECT_EQ(whole_seconds(at(10), at(10)), 0);
  EXPECT_EQ(whole_seconds(at(10), at(10) + 1ms), 1);
  EXPECT_EQ(whole_seconds(at(10), at(12)), 2);
  EXPECT_EQ(whole_seconds(at(10), at(9)), 0);
}

// Rule app-monthly-minutes.
TEST(MonthlyMinutes, AreUsedUpAtTheLastSecondForLiveUseOnly) {
  Meter meter;
  App app;
  app.limits.monthly_minutes = 2;
  meter.seconds = 119;
  EXPECT_TRUE(check_minutes(app, Environment::live, meter, at(0)));
  meter.seconds = 120;
  const auto refused = check_minutes(app, Environment::live, meter, at(0));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::payment_required);
  EXPECT_TRUE(check_minutes(app, Environment::test, meter, at(0)));
  app.limits.monthly_minutes = 0;
  meter.seconds = 0;
  EXPECT_FALSE(check_minutes(app, Environment::live, meter, at(0))) << "none at all";
}

TEST(MonthlyMinutes, AnAppWithoutThisLimitIsNotLookedUp) {
  Meter meter;
  meter.seconds = 1'000'000'000;
  EXPECT_TRUE(check_minutes(App{}, Environment::live, meter, at(0)));
  EXPECT_EQ(meter.asked, 0);
}

}  // namespace
}  // namespace stagedoor::rules
