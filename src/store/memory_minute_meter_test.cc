#include "store/memory_minute_meter.h"

#include <gtest/gtest.h>

namespace stagedoor::store {
namespace {

using namespace std::chrono_literals;

const base::Instant start = base::from_unix_seconds(1'795'000'000);  // in November 2026
const base::Instant next_month = base::from_unix_seconds(1'796'083'200);

struct World {
  rules::LiveSession session(std::string id, base::Instant began_at = start,
                             std::string app_id = "app_1") {
    rules::LiveSession session;
    session.id = std::move(id);
    session.app_id = std::move(app_id);
    session.environment = rules::Environment::live;
    session.began_at = began_at;
    return session;
  }
  void begin(std::string id, base::Instant began_at = start, std::string app_id = "app_1") {
    meter.begin(session(std::move(id), began_at, std::move(app_id)), 1, began_at);
  }
  std::int64_t used(base::Instant now, std::string_view app_id = "app_1") {
    return meter.seconds_used(app_id, now);
  }
  MemoryMinuteMeter::Outlook outlook(std::optional<std::int64_t> minutes, base::Instant now) {
    return meter.outlook([&](std::string_view) { return minutes; }, now);
  }
  MemoryMinuteMeter meter;
};

// Rule app-monthly-minutes.
TEST(MinuteMeter, RunningSessionsCountUpToNowAndEndedOnesInFullSeconds) {
  World w;
  w.meter.load("app_1", 100, start);
  w.begin("a");
  w.begin("b");
  w.begin("of another", start, "app_2");
  EXPECT_EQ(w.used(start), 100);
  EXPECT_EQ(w.used(start + 10s), 120);
  w.meter.end("a", 1, start + 10s + 1ms);
  EXPECT_EQ(w.used(start + 20s), 100 + 11 + 20);
  w.meter.end("b", 1, start + 20s);
  EXPECT_EQ(w.used(start + 1h), 100 + 11 + 20);
  EXPECT_EQ(w.used(start + 30s, "app_2"), 30);
  EXPECT_EQ(w.used(start, "app_none"), 0);
}

// Rule app-monthly-minutes.
TEST(MinuteMeter, TestSessionsCountNothing) {
  World w;
  auto session = w.session("a");
  session.environment = rules::Environment::test;
  w.meter.begin(session, 1, start);
  EXPECT_EQ(w.used(start + 1h), 0);
  w.meter.end("a", 1, start + 1h);
  EXPECT_EQ(w.used(start + 1h), 0);
}

TEST(MinuteMeter, AClientThatComesBackIsOneSessionAndTheTimeInBetweenCounts) {
  World w;
  w.begin("a");
  // While the older connection still lives: it ends nothing.
  w.meter.begin(w.session("a"), 2, start + 10s);
  w.meter.end("a", 1, start + 11s);
  EXPECT_EQ(w.used(start + 20s), 20);
  // After it has ended.
  w.meter.end("a", 2, start + 20s + 500ms);
  w.meter.begin(w.session("a"), 3, start + 20s + 500ms);
  w.meter.end("a", 3, start + 60s);
  EXPECT_EQ(w.used(start + 1h), 60);
}

// Rule app-monthly-minutes.
TEST(MinuteMeter, ASessionCountsInTheMonthInWhichItBeganOnly) {
  World w;
  w.begin("old", next_month - 1h);
  EXPECT_EQ(w.used(next_month - 1ms), 3599);
  EXPECT_EQ(w.used(next_month), 0);
  w.begin("new", next_month + 1min);
  EXPECT_EQ(w.used(next_month + 2min), 60);
  w.meter.end("old", 1, next_month + 2min);
  EXPECT_EQ(w.used(next_month + 2min), 60);
  // A client of the month before comes back.
  w.meter.begin(w.session("old", next_month - 1h), 2, next_month + 2min);
  EXPECT_EQ(w.used(next_month + 3min), 120);
}

// Rule app-monthly-minutes.
TEST(MinuteMeter, TheOutlookTellsWhoHasUsedUpTheirMinutesAndWhenTheNextWill) {
  World w;
  EXPECT_FALSE(w.outlook(1, start).next);
  w.begin("a");
  w.begin("b");
  EXPECT_FALSE(w.outlook(std::nullopt, start).next) << "without a limit";
  EXPECT_EQ(w.outlook(1, start).next, 30'001ms);
  EXPECT_TRUE(w.outlook(1, start + 29s).used_up.empty());
  EXPECT_EQ(w.outlook(1, start + 30s).used_up, std::vector<std::string>{"app_1"});
  EXPECT_TRUE(w.outlook(1, next_month).used_up.empty()) << "another month's minutes";
}

}  // namespace
}  // namespace stagedoor::store
