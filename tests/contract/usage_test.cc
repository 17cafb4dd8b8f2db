// What every report of usage promises, run against the SQLite one.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "store/sqlite_usage.h"

namespace stagedoor::store {
namespace {

using rules::Environment;
using rules::UsageOf;
using rules::UsagePeriod;

// 2026-11-18 11:00:00 UTC, a full hour.
constexpr std::int64_t hour_seconds = 1'794'999'600;

class Ledger {
 public:
  Ledger() {
    auto opened = SqliteDatabase::open(path(), SqliteDatabase::Mode::create);
    EXPECT_TRUE(migrate(*opened));
    database_.emplace(*std::move(opened));
    execute(
        "INSERT INTO workspaces VALUES ('ws_1', 'w', 0), ('ws_2', 'v', 0); INSERT INTO apps "
        "(id, workspace_id, name, token_uses_max, length_max_seconds, idle_max_seconds, "
        "sessions_max, created_at) VALUES ('app_1', 'ws_1', 'a', 1, 1, 1, 1, 0), ('app_2', "
        "'ws_1', 'b', 1, 1, 1, 1, 0), ('app_3', 'ws_2', 'c', 1, 1, 1, 1, 0); INSERT INTO "
        "api_keys (id, app_id, environment, hash, name, ends, created_at, change) VALUES (1, "
        "'app_1', 0, x'01', '', '', 0, 1), (2, 'app_1', 1, x'02', '', '', 0, 2), (3, 'app_3', "
        "0, x'03', '', '', 0, 3)");
  }
  ~Ledger() { std::filesystem::remove_all(folder_); }

  void execute(const std::string& sql) {
    const auto done = database_->execute(sql);
    ASSERT_TRUE(done) << done.error().detail;
  }
  void calls(std::int64_t hours_later, int key, int calls, int refusals) {
    execute("INSERT INTO api_key_hours VALUES (" +
            std::to_string(hour_seconds / 3600 + hours_later) + ", " + std::to_string(key) + ", " +
            std::to_string(calls) + ", " + std::to_string(refusals) + ")");
  }
  // A session of app_1 with both its audit entries; `lasted` below 0: it lives.
  void session(const std::string& id, std::int64_t began_after_seconds, std::int64_t lasted_millis,
               Environment environment = Environment::live, const std::string& end_user = "u") {
    const auto began = (hour_seconds + began_after_seconds) * 1000;
    const auto key = environment == Environment::live ? "1" : "2";
    const auto last = std::to_string(began + std::max<std::int64_t>(lasted_millis, 0));
    execute(
        "INSERT INTO sessions (id, token_id, workspace_id, app_id, environment, api_key_id, "
        "end_user_id, avatar_id, dialect, peer, began_at, last_seen_at, ended_at, end_reason) "
        "VALUES ('" +
        id + "', x'00', 'ws_1', 'app_1', " + std::to_string(static_cast<int>(environment)) + ", " +
        key + ", '" + end_user + "', '', 'spatius', '', " + std::to_string(began) + ", " + last +
        ", " + (lasted_millis < 0 ? "NULL, ''" : last + ", 'hung_up'") + ")");
    entry(began, "key_000000000000000" + std::string(key), "session.begin", id,
          environment == Environment::live ? "app_1, live" : "app_1, test");
    if (lasted_millis >= 0)
      entry(began + lasted_millis, "system", "session.end", id,
            "hung_up, " + std::to_string(lasted_millis) + " ms");
  }
  void entry(std::int64_t at, const std::string& actor, const std::string& action,
             const std::string& subject, const std::string& detail) {
    execute(
        "INSERT INTO audit_log (at, workspace_id, actor, action, subject, outcome, peer, "
        "request_id, detail, seal) VALUES (" +
        std::to_string(at) + ", 'ws_1', '" + actor + "', '" + action + "', '" + subject +
        "', 0, '', '', '" + detail + "', x'00')");
  }
  rules::UsagePage read(UsageOf what, rules::UsageQuery query) {
    auto page = SqliteUsage(readers_).read(what, query);
    EXPECT_TRUE(page) << page.error().detail;
    return *std::move(page);
  }
  std::vector<std::string> differences() {
    std::vector<std::string> told;
    const auto agreement = SqliteUsage(readers_).reconcile(
        [&](const std::string& sentence) { told.push_back(sentence); });
    EXPECT_TRUE(agreement) << agreement.error().detail;
    EXPECT_EQ(agreement->mismatches, static_cast<std::int64_t>(told.size()));
    return told;
  }

 private:
  std::string path() const { return folder_ + "/store.db"; }
  static std::string made_folder() {
    std::string name = (std::filesystem::temp_directory_path() / "stagedoor-XXXXXX").string();
    return ::mkdtemp(name.data());
  }
  const std::string folder_ = made_folder();
  std::optional<SqliteDatabase> database_;
  SqliteReaders readers_{path()};
};

rules::UsageQuery query(UsagePeriod by = UsagePeriod::hour) {
  rules::UsageQuery query;
  query.from = base::from_unix_seconds(hour_seconds);
  query.until = base::from_unix_seconds(hour_seconds + 48 * 3600);
  query.by = by;
  query.workspace_id = "ws_1";
  return query;
}

// Rule usage-counted-once.
TEST(UsageReport, EachSessionCountsOnceWhereItBeganAndEachSecondBegunCounts) {
  Ledger ledger;
  ledger.session("one", 10, 1);
  ledger.session("two", 3599, 7'200'001);
  ledger.session("three", 3600, 5000);
  const auto page = ledger.read(UsageOf::apps, query());
  ASSERT_EQ(page.rows.size(), 2u);
  EXPECT_EQ(page.rows[0].sessions, 2);
  EXPECT_EQ(page.rows[0].seconds, 1 + 7201);
  EXPECT_EQ(page.rows[1].sessions, 1);
  EXPECT_EQ(page.rows[1].seconds, 5);
  EXPECT_EQ(base::unix_seconds(page.rows[1].period_at), hour_seconds + 3600);
}

TEST(UsageReport, CallsOfKeysAreAddedUpByHourDayAndMonth) {
  Ledger ledger;
  ledger.calls(0, 1, 10, 1);
  ledger.calls(1, 1, 20, 2);
  ledger.calls(24, 1, 40, 4);
  ledger.calls(0, 2, 3, 0);
  ledger.calls(0, 3, 999, 0);
  EXPECT_EQ(ledger.read(UsageOf::keys, query()).rows.size(), 4u);
  const auto by_day = ledger.read(UsageOf::keys, query(UsagePeriod::day));
  ASSERT_EQ(by_day.rows.size(), 3u);
  EXPECT_EQ(by_day.rows[0].who, "key_0000000000000001");
  EXPECT_EQ(by_day.rows[0].calls, 30);
  EXPECT_EQ(by_day.rows[0].refusals, 3);
  EXPECT_EQ(by_day.rows[1].environment, Environment::test);
  EXPECT_EQ(by_day.rows[2].calls, 40);
  const auto by_month = ledger.read(UsageOf::apps, query(UsagePeriod::month));
  ASSERT_EQ(by_month.rows.size(), 2u);
  EXPECT_EQ(by_month.rows[0].calls, 70);
  EXPECT_EQ(base::unix_seconds(by_month.rows[0].period_at), 1'793'491'200);
}

// Rule usage-of-tests-is-free.
TEST(UsageReport, LiveAndTestAreCountedApart) {
  Ledger ledger;
  ledger.session("one", 10, 5000, Environment::live);
  ledger.session("two", 10, 9000, Environment::test);
  auto page = ledger.read(UsageOf::apps, query());
  ASSERT_EQ(page.rows.size(), 2u);
  EXPECT_EQ(page.rows[0].billable_seconds(), 5);
  EXPECT_EQ(page.rows[1].seconds, 9);
  EXPECT_EQ(page.rows[1].billable_seconds(), 0);
  auto of_tests = query();
  of_tests.environment = Environment::test;
  EXPECT_EQ(ledger.read(UsageOf::apps, of_tests).rows.size(), 1u);
}

TEST(UsageReport, ASessionThatLivesCountsToWhenItWasLastSeen) {
  Ledger ledger;
  ledger.session("one", 10, -1);
  ledger.execute("UPDATE sessions SET last_seen_at = began_at + 30000");
  EXPECT_EQ(ledger.read(UsageOf::apps, query()).rows.at(0).seconds, 30);
}

TEST(UsageReport, PagesFollowEachOtherAndHoldEveryEndUserOnce) {
  Ledger ledger;
  for (int at = 0; at < 25; ++at)
    ledger.session("s" + std::to_string(at), at * 600, 1000, Environment::live,
                   "user " + std::to_string(at % 6));
  auto by_page = query();
  by_page.count_max = 4;
  std::vector<std::tuple<std::int64_t, std::string>> seen;
  std::int64_t sessions = 0;
  for (;;) {
    const auto page = ledger.read(UsageOf::end_users, by_page);
    for (const auto& row : page.rows) {
      seen.emplace_back(base::unix_seconds(row.period_at), row.who);
      sessions += row.sessions;
    }
    if (!page.has_more) break;
    const auto& last = page.rows.back();
    by_page.beyond = rules::UsageCursor{.period_seconds = base::unix_seconds(last.period_at),
                                        .app_id = last.app_id,
                                        .environment = static_cast<int>(last.environment),
                                        .who = last.who};
  }
  EXPECT_EQ(sessions, 25);
  EXPECT_TRUE(std::ranges::is_sorted(seen));
  EXPECT_EQ(std::ranges::adjacent_find(seen), seen.end());
}

TEST(UsageReport, AnotherWorkspacesUsageIsNotThere) {
  Ledger ledger;
  ledger.session("one", 10, 5000);
  ledger.calls(0, 1, 10, 1);
  auto others = query();
  others.workspace_id = "ws_2";
  EXPECT_TRUE(ledger.read(UsageOf::apps, others).rows.empty());
  others.app_id = "app_1";
  EXPECT_TRUE(ledger.read(UsageOf::apps, others).rows.empty());
  auto other_app = query();
  other_app.app_id = "app_2";
  EXPECT_TRUE(ledger.read(UsageOf::apps, other_app).rows.empty());
}

// Rule usage-reconciles.
TEST(Reconciliation, ALedgerThatIsAsTheAuditLogTellsAgrees) {
  Ledger ledger;
  EXPECT_TRUE(ledger.differences().empty());
  ledger.session("ended", 10, 5000);
  ledger.session("lives", 20, -1);
  ledger.session("test", 30, 0, Environment::test);
  // A client that came back: two ends, the second after the return.
  ledger.session("resumed", 40, 5000);
  ledger.entry((hour_seconds + 50) * 1000, "key_0000000000000001", "session.resume", "resumed", "");
  ledger.entry((hour_seconds + 60) * 1000, "system", "session.end", "resumed", "hung_up, 20000 ms");
  ledger.execute("UPDATE sessions SET ended_at = began_at + 20000 WHERE id = 'resumed'");
  EXPECT_EQ(ledger.differences(), std::vector<std::string>{});
}

// Rule usage-reconciles.
TEST(Reconciliation, WhateverIsChangedInOneOfTheTwoIsFoundOut) {
  const std::vector<std::string> changes = {
      "DELETE FROM sessions WHERE id = 'ended'",
      "DELETE FROM audit_log WHERE subject = 'ended' AND action = 'session.begin'",
      "DELETE FROM audit_log WHERE subject = 'ended' AND action = 'session.end'",
      "INSERT INTO audit_log SELECT 100, at, workspace_id, actor, action, subject, outcome, peer, "
      "request_id, detail, seal FROM audit_log WHERE subject = 'ended' AND action = "
      "'session.begin'",
      "INSERT INTO audit_log SELECT 100, at, workspace_id, actor, action, subject, outcome, peer, "
      "request_id, detail, seal FROM audit_log WHERE subject = 'ended' AND action = 'session.end'",
      "UPDATE sessions SET began_at = began_at + 1 WHERE id = 'lives'",
      "UPDATE sessions SET api_key_id = 3 WHERE id = 'lives'",
      "UPDATE sessions SET app_id = 'app_2' WHERE id = 'lives'",
      "UPDATE sessions SET environment = 1 WHERE id = 'lives'",
      "UPDATE sessions SET workspace_id = 'ws_2' WHERE id = 'lives'",
      "UPDATE sessions SET ended_at = last_seen_at WHERE id = 'lives'",
      "UPDATE sessions SET ended_at = NULL WHERE id = 'ended'",
      "UPDATE sessions SET ended_at = ended_at - 1000 WHERE id = 'ended'",
      "UPDATE sessions SET end_reason = 'idle' WHERE id = 'ended'"};
  for (const auto& change : changes) {
    Ledger ledger;
    ledger.session("ended", 10, 5000);
    ledger.session("lives", 20, -1);
    ledger.execute(change);
    const auto told = ledger.differences();
    ASSERT_FALSE(told.empty()) << change;
    const bool names_it =
        told[0].starts_with("Session ended ") || told[0].starts_with("Session lives ");
    EXPECT_TRUE(names_it) << told[0];
  }
}

}  // namespace
}  // namespace stagedoor::store
