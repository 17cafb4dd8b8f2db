// What a store of single end users' limits promises, run against the SQLite one.
#include "store/sqlite_end_user_limits.h"

#include <gtest/gtest.h>

#include <latch>

#include "opened_for_test.h"

namespace stagedoor::store {
namespace {

using base::ErrorCode;
using rules::RateLimit;

const RateLimit few{1, 1h, 1}, many{50, 1h, 50};

// A process with the store open, in which everybody may change everything unless a test says so.
struct Process {
  explicit Process(const Folder& folder)
      : writer(folder.database()),
        catalog(writer),
        limits(
            writer,
            [this](SqliteDatabase& database, const rules::AuditEntry& entry) {
              return append(database, entry);
            },
            clock) {
    EXPECT_TRUE(writer.start());
  }
  ~Process() { writer.stop(); }
  void add_app(std::optional<RateLimit> limit = std::nullopt) {
    rules::App app{"app_1", "ws_1", "a", {}};
    app.limits.end_user_limit = limit;
    ASSERT_TRUE(catalog.create_workspace("ws_1", "w", clock.now()));
    ASSERT_TRUE(catalog.create_app(app, clock.now()));
  }
  base::Result<base::Done> append(SqliteDatabase& database, const rules::AuditEntry& entry) {
    if (audit_is_broken) return base::fail(ErrorCode::unavailable, "audit");
    auto add = database.prepare(
        "INSERT INTO audit_log (number, at, workspace_id, actor, action, subject, outcome, peer, "
        "request_id, detail, seal) VALUES ((SELECT ifnull(max(number), 0) + 1 FROM audit_log), 0, "
        "'', '', ?1, '', 0, '', '', '', x'')");
    if (!add || !add->bind(1, entry.action).run()) return database.trouble("audit");
    return base::Done{};
  }
  base::Result<base::Done> change(const std::string& end_user_id, std::optional<RateLimit> limit,
                                  std::string app_id = "app_1") {
    rules::AuditEntry entry;
    entry.action = limit ? "set" : "remove";
    const auto anything = [](const std::optional<RateLimit>&,
                             const rules::App&) -> base::Result<base::Done> {
      return base::Done{};
    };
    return limits.change({std::move(app_id), end_user_id, limit}, anything, entry);
  }
  // Rows of which the condition is true.
  std::int64_t rows(const std::string& table, const std::string& condition = "1") {
    std::int64_t rows = -1;
    (void)writer.run_quietly([&](SqliteDatabase& database) -> base::Result<base::Done> {
      auto count = database.prepare("SELECT count(*) FROM " + table + " WHERE " + condition);
      if (count && count->step() == SqliteStatement::Step::row) rows = count->integer(0);
      return base::Done{};
    });
    return rows;
  }
  // As many as there may be, of app_1.
  void fill(std::size_t count) {
    ASSERT_TRUE(writer.run([&](SqliteDatabase& database) {
      return database.execute(
          "INSERT INTO end_user_limits SELECT 'app_1', 'user ' || value, '1/hour', 0, value FROM "
          "(WITH RECURSIVE n (value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n LIMIT " +
          std::to_string(count) + ") SELECT value FROM n)");
    }));
    ASSERT_EQ(limits.count(), count);
  }
  static ErrorCode code_of(const base::Result<base::Done>& outcome) {
    return outcome ? ErrorCode::unsupported : outcome.error().code;
  }

  std::atomic<bool> audit_is_broken = false;
  base::ManualClock clock{base::from_unix_seconds(1'795'000'000)};
  SqliteWriter writer;
  SqliteCatalog catalog;
  SqliteEndUserLimits limits;
};

// Rule rate-limit-of-one-end-user.
TEST(EndUserLimits, OneHoldsAtOnceForItsEndUserAndAppAloneUntilItIsTakenAway) {
  const Folder folder;
  Process store(folder);
  store.add_app();
  ASSERT_TRUE(store.change("ada", few));
  EXPECT_EQ(store.limits.limit_of("app_1", "ada"), few);
  EXPECT_EQ(store.limits.limit_of("app_1", "bob"), std::nullopt);
  EXPECT_EQ(store.limits.limit_of("app_2", "ada"), std::nullopt);
  ASSERT_TRUE(store.change("ada", RateLimit::unlimited()));
  EXPECT_EQ(store.limits.limit_of("app_1", "ada"), RateLimit::unlimited());
  EXPECT_EQ(store.limits.count(), 1u);
  ASSERT_TRUE(store.change("ada", std::nullopt));
  EXPECT_EQ(store.limits.limit_of("app_1", "ada"), std::nullopt);
  EXPECT_EQ(store.limits.count(), 0u);
  EXPECT_EQ(Process::code_of(store.change("ada", std::nullopt)), ErrorCode::not_found);
  EXPECT_EQ(Process::code_of(store.change("ada", few, "app_none")), ErrorCode::not_found);
}

TEST(EndUserLimits, WhatIsKeptIsReadBackAsItWasAlsoWithOddIds) {
  const Folder folder;
  const std::string odd("Zo\xc3\xab/\0'\"", 8);
  {
    Process store(folder);
    store.add_app();
    ASSERT_TRUE(store.change(odd, few));
    ASSERT_TRUE(store.change("ada", RateLimit::unlimited()));
    ASSERT_TRUE(store.change("bob", many));
    ASSERT_TRUE(store.change("bob", std::nullopt));
  }
  Process store(folder);
  EXPECT_EQ(store.limits.limit_of("app_1", odd), few);
  EXPECT_EQ(store.limits.limit_of("app_1", "ada"), RateLimit::unlimited());
  EXPECT_EQ(store.limits.limit_of("app_1", "bob"), std::nullopt);
  EXPECT_EQ(store.limits.count(), 2u);
}

TEST(EndUserLimits, ListsAreByIdInPages) {
  const Folder folder;
  Process store(folder);
  store.add_app();
  for (const auto* id : {"c", "a", "d", "b"}) ASSERT_TRUE(store.change(id, few));
  ASSERT_TRUE(store.change("b", std::nullopt));
  const auto ids = [&](std::string_view after, std::size_t count_max) {
    std::string all;
    for (const auto& one : store.limits.list("app_1", after, count_max)) all += one.end_user_id;
    return all;
  };
  EXPECT_EQ(ids("", 100), "acd");
  EXPECT_EQ(ids("", 2), "ac");
  EXPECT_EQ(ids("c", 2), "d");
  EXPECT_EQ(ids("b", 100), "cd") << "after one that has gone";
  EXPECT_TRUE(store.limits.list("app_2", "", 100).empty());
}

// Rule rate-limit-of-one-end-user.
TEST(EndUserLimits, WhatAnotherProcessGivesAndTakesIsSeen) {
  const Folder folder;
  Process server(folder);
  server.add_app();
  Process other(folder);
  ASSERT_TRUE(other.change("ada", few));
  EXPECT_TRUE(comes_true([&] { return server.limits.limit_of("app_1", "ada") == few; }));
  ASSERT_TRUE(server.change("ada", many));
  EXPECT_TRUE(comes_true([&] { return other.limits.limit_of("app_1", "ada") == many; }));
  ASSERT_TRUE(other.change("ada", std::nullopt));
  EXPECT_TRUE(comes_true([&] { return server.limits.count() == 0; }));
}

// Rule audit-fail-closed.
TEST(EndUserLimits, AChangeIsKeptTogetherWithItsEntryOrNotAtAll) {
  const Folder folder;
  Process store(folder);
  store.add_app();
  store.audit_is_broken = true;
  EXPECT_EQ(Process::code_of(store.change("ada", few)), ErrorCode::unavailable);
  EXPECT_EQ(store.limits.limit_of("app_1", "ada"), std::nullopt);
  EXPECT_EQ(store.rows("end_user_limits"), 0);
  store.audit_is_broken = false;
  ASSERT_TRUE(store.change("ada", few));
  EXPECT_EQ(store.rows("audit_log", "action = 'set'"), 1);
  store.audit_is_broken = true;
  EXPECT_EQ(Process::code_of(store.change("ada", std::nullopt)), ErrorCode::unavailable);
  EXPECT_EQ(store.limits.limit_of("app_1", "ada"), few);
}

TEST(EndUserLimits, WhatIsNotAllowedOfWhatIsThereChangesNothingAndLeavesNoEntry) {
  const Folder folder;
  Process store(folder);
  store.add_app(many);
  ASSERT_TRUE(store.change("ada", few));
  const auto refuse = [&](const std::optional<RateLimit>& own,
                          const rules::App& app) -> base::Result<base::Done> {
    EXPECT_EQ(own, few);
    EXPECT_EQ(app.limits.end_user_limit, many);
    return base::fail(ErrorCode::forbidden, "no");
  };
  for (const auto& limit : {std::optional(many), std::optional<RateLimit>()}) {
    EXPECT_EQ(Process::code_of(store.limits.change({"app_1", "ada", limit}, refuse, {})),
              ErrorCode::forbidden);
  }
  EXPECT_EQ(store.limits.limit_of("app_1", "ada"), few);
  EXPECT_EQ(store.rows("audit_log"), 1);
}

// Rule rate-limit-of-one-end-user.
TEST(EndUserLimits, AnAppHasABoundedNumberOfThemAndIsToldWhichWhenItIsReached) {
  const Folder folder;
  Process store(folder);
  store.add_app();
  store.fill(rules::end_user_limits_of_app_max);
  const auto refused = store.change("one more", few);
  EXPECT_EQ(Process::code_of(refused), ErrorCode::conflict);
  EXPECT_NE(refused.error().hint.find("at most 10000 "), std::string::npos);
  EXPECT_TRUE(store.change("user 7", many)) << "it has one already";
  EXPECT_TRUE(store.change("user 8", std::nullopt));
  EXPECT_TRUE(store.change("one more", few)) << "there is room again";
  ASSERT_TRUE(store.catalog.create_app({"app_2", "ws_1", "b", {}}, store.clock.now()));
  EXPECT_TRUE(store.change("one more", few, "app_2"));
}

TEST(EndUserLimits, AllAppsTogetherHaveABoundedNumberOfThem) {
  const Folder folder;
  Process store(folder);
  store.add_app();
  ASSERT_TRUE(store.catalog.create_app({"app_2", "ws_1", "b", {}}, store.clock.now()));
  store.fill(rules::end_user_limits_max);
  const auto refused = store.change("one more", few, "app_2");
  EXPECT_EQ(Process::code_of(refused), ErrorCode::conflict);
  EXPECT_NE(refused.error().hint.find("at most 500000 "), std::string::npos);
}

TEST(EndUserLimits, WhatWasTakenAwayIsForgottenOnDiskADayLaterWhenOthersHaveHeardOfIt) {
  const Folder folder;
  Process server(folder);
  server.add_app();
  Process other(folder);
  for (const auto* id : {"a", "b", "c"}) ASSERT_TRUE(server.change(id, few));
  for (const auto* id : {"a", "b"}) ASSERT_TRUE(server.change(id, std::nullopt));
  const auto other_knows = [&](std::size_t count) {
    return comes_true([&] { return other.limits.count() == count; });
  };
  ASSERT_TRUE(other_knows(1));
  server.clock.advance(23h);
  ASSERT_TRUE(server.change("c", many));
  EXPECT_EQ(server.rows("end_user_limits", "rate_limit = ''"), 2)
      << "others may not have heard yet";
  server.clock.advance(2h);
  ASSERT_TRUE(server.change("c", std::nullopt));
  EXPECT_EQ(server.rows("end_user_limits"), 1) << "the newest stays, though it says nothing";
  ASSERT_TRUE(other_knows(0));
  server.clock.advance(25h);
  ASSERT_TRUE(server.change("d", few));
  EXPECT_EQ(server.rows("end_user_limits"), 1);
  EXPECT_TRUE(other_knows(1)) << "the next change counts on";
  EXPECT_EQ(other.limits.limit_of("app_1", "d"), few);
}

TEST(EndUserLimits, OfManySimultaneousChangesEachIsCountedAndTheLastOneHolds) {
  const Folder folder;
  Process store(folder);
  store.add_app();
  std::latch together(8);
  std::vector<std::jthread> crowd;
  for (int i = 0; i < 8; ++i) {
    crowd.emplace_back([&, i] {
      together.arrive_and_wait();
      for (int round = 0; round < 20; ++round)
        EXPECT_TRUE(store.change("user " + std::to_string(i), round % 2 == 0 ? few : many));
    });
  }
  crowd.clear();
  EXPECT_EQ(store.limits.count(), 8u);
  for (const auto& one : store.limits.list("app_1", "", 100)) EXPECT_EQ(one.limit, many);
  EXPECT_EQ(store.rows("audit_log"), 160);
}

}  // namespace
}  // namespace stagedoor::store
