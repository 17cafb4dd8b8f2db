// What every store of the audit log promises, run against the SQLite one.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <future>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "crypto/random.h"
#include "folder_for_test.h"
#include "store/sqlite_audit_log.h"
#include "store/sqlite_audit_trail.h"
#include "store/sqlite_writer.h"

namespace stagedoor::store {
namespace {

using base::ErrorCode;
using namespace std::chrono_literals;

base::Result<rules::AuditSealer> key_of(const Folder& folder) {
  auto database = folder.database();
  crypto::SystemRandom random;
  return open_audit_key(database, folder.file("audit-key"), random);
}

// A process with the log open.
struct Opened {
  explicit Opened(const Folder& folder, rules::AuditNotes::Options notes = {})
      : writer(folder.database()), log(writer, *key_of(folder), clock, notes) {
    EXPECT_TRUE(writer.start());
  }
  ~Opened() {
    log.finish();
    writer.stop();
  }
  base::Result<base::Done> record(const std::string& subject) {
    return log.record({.at = clock.now(),
                       .workspace_id = "ws_1",
                       .actor = "acc_1",
                       .action = "api_key.revoke",
                       .subject = subject,
                       .outcome = rules::AuditOutcome::done,
                       .peer = "192.0.2.1",
                       .request_id = "r",
                       .detail = "why"});
  }

  base::ManualClock clock{base::from_unix_seconds(1'795'000'000)};
  SqliteWriter writer;
  SqliteAuditLog log;
};

std::int64_t count_of(const Folder& folder) {
  auto database = folder.database();
  auto read = database.prepare("SELECT count(*) FROM audit_log");
  return read->step() == SqliteStatement::Step::row ? read->integer(0) : -1;
}

TEST(AuditLog, WhatWasRecordedIsThereWhenTheCallReturns) {
  const Folder folder;
  Opened opened(folder);
  ASSERT_TRUE(opened.record("one"));
  EXPECT_EQ(count_of(folder), 1);
}

// Rule audit-fail-closed.
TEST(AuditLog, AChangeThatCannotBeRecordedIsNotMade) {
  const Folder folder;
  Opened opened(folder);
  {
    auto others = folder.database();
    ASSERT_TRUE(
        others.execute("CREATE TRIGGER refuse BEFORE INSERT ON audit_log BEGIN SELECT "
                       "RAISE(ABORT, 'no'); END"));
  }
  const auto done = opened.writer.run([&](SqliteDatabase& database) -> base::Result<base::Done> {
    if (auto made = database.execute("INSERT INTO workspaces VALUES ('ws_1', 'w', 0)"); !made)
      return made;
    return opened.log.append(database, {});
  });
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::unavailable);
  auto database = folder.database();
  auto read = database.prepare("SELECT count(*) FROM workspaces");
  ASSERT_EQ(read->step(), SqliteStatement::Step::row);
  EXPECT_EQ(read->integer(0), 0);
  EXPECT_FALSE(opened.record("two"));
}

// Rule audit-fail-closed.
TEST(AuditLog, NothingIsRecordedBehindAnEndThatOthersChanged) {
  const Folder folder;
  Opened opened(folder);
  ASSERT_TRUE(opened.record("one"));
  ASSERT_TRUE(opened.record("two"));
  {
    auto others = folder.database();
    ASSERT_TRUE(others.execute(
        "DELETE FROM audit_log WHERE number = 2; UPDATE audit_head SET number = 1, seal = "
        "(SELECT seal FROM audit_log WHERE number = 1)"));
  }
  EXPECT_EQ(opened.record("three").error().code, ErrorCode::unavailable);
  EXPECT_EQ(count_of(folder), 1);
}

// Rule audit-chained.
TEST(AuditLog, ALogWhoseKeyIsGoneOrAnotherIsNotOpened) {
  const Folder folder;
  {
    Opened opened(folder);
  }
  ASSERT_TRUE(key_of(folder)) << "the key that was made stays";
  {
    Opened opened(folder);
    ASSERT_TRUE(opened.record("one"));
  }
  std::filesystem::remove(folder.file("audit-key"));
  EXPECT_EQ(key_of(folder).error().code, ErrorCode::conflict);
  const Folder other;
  {
    Opened opened(other);
  }
  std::filesystem::copy(other.file("audit-key"), folder.file("audit-key"));
  EXPECT_EQ(key_of(folder).error().code, ErrorCode::conflict);
}

TEST(AuditLog, AKeyWhoseMakingDiedIsFinished) {
  const Folder folder;
  ASSERT_TRUE(key_of(folder));
  std::filesystem::rename(folder.file("audit-key"), folder.file("audit-key.new"));
  EXPECT_TRUE(key_of(folder));
  EXPECT_FALSE(std::filesystem::exists(folder.file("audit-key.new")));
}

// A log of nine entries that somebody with the database at hand has changed.
std::string said_of(const std::string& change, const std::string& checkpoint = {}) {
  const Folder folder;
  {
    Opened opened(folder);
    for (int number = 1; number <= 9; ++number)
      EXPECT_TRUE(opened.record("subject " + std::to_string(number)));
  }
  {
    auto others = folder.database();
    EXPECT_TRUE(others.execute(change));
  }
  SqliteReaders readers(folder.database_path());
  std::optional<rules::AuditCheckpoint> expected;
  if (!checkpoint.empty()) expected = *rules::parse_audit_checkpoint(checkpoint);
  const auto newest =
      SqliteAuditTrail(readers).verify(*read_audit_key(folder.file("audit-key")), {}, expected);
  return newest ? "whole to " + std::to_string(newest->number) : newest.error().hint;
}

// Rule audit-chained.
TEST(AuditTrail, AnUntouchedLogIsWhole) {
  EXPECT_EQ(said_of(""), "whole to 9");
}

// Rule audit-chained.
TEST(AuditTrail, AnyChangeOfAnyColumnIsFoundAndNamed) {
  for (const auto* change :
       {"at = at + 1", "workspace_id = 'ws_2'", "actor = 'acc_2'", "action = 'x'", "subject = 'y'",
        "outcome = 1", "peer = ''", "request_id = ''", "detail = 'because'", "seal = zeroblob(32)",
        "seal = x'00'", "detail = detail || char(0)"})
    EXPECT_TRUE(said_of("UPDATE audit_log SET " + std::string(change) + " WHERE number = 4")
                    .starts_with("Entry 4 does not bear the seal"))
        << change;
}

// Rule audit-chained.
TEST(AuditTrail, WhatWasCutOutIsFoundAtTheHeadInTheMiddleAndAtTheTail) {
  EXPECT_EQ(said_of("DELETE FROM audit_log WHERE number = 1"), "Entry 1 is missing.");
  EXPECT_EQ(said_of("DELETE FROM audit_log WHERE number IN (4, 5)"), "Entries 4 to 5 are missing.");
  EXPECT_EQ(said_of("DELETE FROM audit_log WHERE number > 7"), "Entries 8 to 9 are missing.");
  EXPECT_EQ(said_of("DELETE FROM audit_log"), "Entries 1 to 9 are missing.");
  EXPECT_TRUE(said_of("DELETE FROM audit_log WHERE number = 4; UPDATE audit_log SET number = "
                      "number - 1 WHERE number > 4")
                  .starts_with("Entry 4 does not bear the seal"));
}

// Rule audit-chained.
TEST(AuditTrail, ATailThatIsCutWithItsNoteIsFound) {
  const std::string cut =
      "DELETE FROM audit_log WHERE number > 7; UPDATE audit_head SET number = 7, seal = (SELECT "
      "seal FROM audit_log WHERE number = 7)";
  EXPECT_TRUE(said_of(cut).starts_with("The note of where the log ends was changed"));
  EXPECT_TRUE(said_of("DELETE FROM audit_head").starts_with("The note of where the audit log"));
}

// Rule audit-chained.
TEST(AuditTrail, EntriesThatChangedPlacesOrWerePutInAreFound) {
  EXPECT_TRUE(said_of("UPDATE audit_log SET number = 100 WHERE number = 3; UPDATE audit_log SET "
                      "number = 3 WHERE number = 6; UPDATE audit_log SET number = 6 WHERE number "
                      "= 100")
                  .starts_with("Entry 3 does not bear the seal"));
  const std::string put_in =
      "INSERT INTO audit_log SELECT ?, at, workspace_id, actor, action, subject, outcome, peer, "
      "request_id, detail, seal FROM audit_log WHERE number = 5";
  const auto at = [&](const std::string& number) {
    auto sql = put_in;
    return sql.replace(sql.find('?'), 1, number);
  };
  EXPECT_TRUE(said_of(at("10")).starts_with("Entry 10 does not bear the seal"));
  EXPECT_TRUE(said_of(at("0")).starts_with("Entry 0 was put in"));
  EXPECT_TRUE(said_of(at("-3")).starts_with("Entry -3 was put in"));
}

// Rule audit-checkpoint.
TEST(AuditTrail, ADatabaseThatWasPutBackAsAWholeIsFoundByACheckpoint) {
  const Folder folder;
  std::optional<Opened> opened(std::in_place, folder);
  ASSERT_TRUE(opened->record("one"));
  {
    auto database = folder.database();
    ASSERT_TRUE(database.copy_to(folder.file("earlier.db")));
  }
  ASSERT_TRUE(opened->record("two"));
  const auto sealer = *read_audit_key(folder.file("audit-key"));
  SqliteReaders readers(folder.database_path());
  const auto checkpoint = SqliteAuditTrail(readers).newest(sealer);
  ASSERT_TRUE(checkpoint);
  EXPECT_TRUE(SqliteAuditTrail(readers).verify(sealer, {}, *checkpoint));

  SqliteReaders earlier(folder.file("earlier.db"));
  EXPECT_TRUE(SqliteAuditTrail(earlier).verify(sealer, {}, {})) << "inside nothing tells";
  const auto found = SqliteAuditTrail(earlier).verify(sealer, {}, *checkpoint);
  ASSERT_FALSE(found);
  EXPECT_TRUE(found.error().hint.starts_with("The log ends with entry 1, before the checkpoint"));
}

// Rule audit-chained.
TEST(AuditLog, TheChainHoldsWhereTwoProcessesWriteAtOnce) {
  const Folder folder;
  Opened one(folder);
  Opened other(folder);
  const auto write = [](Opened& opened, const std::string& name) {
    for (int number = 0; number < 50; ++number)
      ASSERT_TRUE(opened.record(name + std::to_string(number)));
  };
  std::thread beside([&] { write(other, "other "); });
  write(one, "one ");
  beside.join();
  SqliteReaders readers(folder.database_path());
  const auto newest = SqliteAuditTrail(readers).verify(one.log.sealer(), {}, {});
  ASSERT_TRUE(newest) << newest.error().hint;
  EXPECT_EQ(newest->number, 100);
}

TEST(AuditLog, ALogWhoseKeyIsLostGoesOnWithANewOneAndIsProvedFromThereOn) {
  const Folder folder;
  {
    Opened opened(folder);
    ASSERT_TRUE(opened.record("one"));
  }
  crypto::SystemRandom random;
  auto database = folder.database();
  EXPECT_EQ(renew_audit_key(database, folder.file("audit-key"), random).error().code,
            ErrorCode::forbidden);
  std::filesystem::remove(folder.file("audit-key"));
  const auto from = renew_audit_key(database, folder.file("audit-key"), random);
  ASSERT_TRUE(from);
  Opened opened(folder);
  ASSERT_TRUE(opened.record("two"));
  SqliteReaders readers(folder.database_path());
  EXPECT_FALSE(SqliteAuditTrail(readers).verify(opened.log.sealer(), {}, {}));
  EXPECT_TRUE(SqliteAuditTrail(readers).verify(opened.log.sealer(), *from, {}));
}

// Rule audit-of-refusals.
TEST(AuditLog, NotedRefusalsAreKeptWithoutWaitingAndAFloodIsTold) {
  const Folder folder;
  {
    Opened opened(folder);
    for (int number = 0; number < 10'000; ++number) {
      rules::AuditEntry entry;
      entry.at = opened.clock.now();
      entry.action = "GET /v1/keys";
      entry.outcome = rules::AuditOutcome::refused;
      opened.log.note(entry);
    }
  }
  SqliteReaders readers(folder.database_path());
  rules::AuditQuery query;
  query.count_max = 1000;
  const auto page = SqliteAuditTrail(readers).read(query);
  ASSERT_TRUE(page);
  ASSERT_EQ(page->entries.size(), 51u);
  EXPECT_EQ(page->entries.front().entry.action, "audit.fold");
  EXPECT_TRUE(page->entries.front().entry.detail.starts_with("{\"count\":9950,"));
}

// Rule audit-chained. Rule audit-fail-closed.
TEST(AuditLog, ANotedRefusalIsCompletedOnAnotherThreadAndKeptWithItsOwnersOwnParty) {
  const Folder folder;
  std::optional<Opened> opened(std::in_place, folder);
  std::promise<std::thread::id> completed;
  rules::AuditEntry entry;
  entry.at = opened->clock.now();
  entry.action = "GET /v1/keys";
  entry.outcome = rules::AuditOutcome::refused;
  opened->log.note_later(entry, [&](rules::AuditEntry& one) {
    one.actor = "key_1";
    completed.set_value(std::this_thread::get_id());
  });
  EXPECT_NE(completed.get_future().get(), std::this_thread::get_id());
  // A flood of strangers, whether or not it can wait to be completed, hides nothing of a key's.
  for (std::size_t i = 0; i < 3 * SqliteAuditLog::incomplete_max; ++i)
    opened->log.note_later(entry, [](rules::AuditEntry&) {});
  opened->log.note_later(entry, [](rules::AuditEntry& one) { one.actor = "key_2"; });
  opened.reset();
  auto database = folder.database();
  auto read = database.prepare("SELECT count(*) FROM audit_log WHERE actor LIKE 'key_%'");
  ASSERT_EQ(read->step(), SqliteStatement::Step::row);
  EXPECT_GE(read->integer(0), 1);
  auto folded = database.prepare(
      "SELECT sum(CASE action WHEN 'audit.fold' THEN json_extract(detail, '$.count') ELSE 1 END) "
      "FROM audit_log");
  ASSERT_EQ(folded->step(), SqliteStatement::Step::row);
  EXPECT_EQ(folded->integer(0), 3 * static_cast<std::int64_t>(SqliteAuditLog::incomplete_max) + 2)
      << "none is lost without a trace";
}

TEST(AuditLog, TheChainHoldsWhereSomeJobsOfAGroupFailAfterTheyWereRecorded) {
  const Folder folder;
  Opened opened(folder);
  std::promise<void> reached, go_on;
  std::atomic<int> kept = 0;
  const auto submit = [&](std::function<base::Result<base::Done>(SqliteDatabase&)> work,
                          bool may_repeat) {
    EXPECT_TRUE(opened.writer.submit(
        {.work = std::move(work),
         .done = [&](const base::Result<base::Done>& outcome) { kept += outcome ? 1 : 0; },
         .may_repeat = may_repeat}));
  };
  submit(
      [&](SqliteDatabase&) -> base::Result<base::Done> {
        reached.set_value();
        go_on.get_future().wait();
        return base::fail(ErrorCode::conflict, "not counted");
      },
      false);
  reached.get_future().wait();
  for (int number = 0; number < 60; ++number) {
    const auto work = [&opened, number](SqliteDatabase& database) -> base::Result<base::Done> {
      auto done = opened.log.append(database, {});
      if (done && number % 7 == 3) return base::fail(ErrorCode::conflict, "after all");
      return done;
    };
    submit(work, number % 20 < 15);
  }
  go_on.set_value();
  opened.writer.stop();
  EXPECT_EQ(kept, 51);
  EXPECT_EQ(count_of(folder), 51);
  SqliteReaders readers(folder.database_path());
  const auto newest = SqliteAuditTrail(readers).verify(opened.log.sealer(), {}, {});
  ASSERT_TRUE(newest) << newest.error().hint;
  EXPECT_EQ(newest->number, 51);
}

// Rule audit-of-refusals.
TEST(AuditLog, WhatWasKeptMakesRoomForFurtherRefusals) {
  const Folder folder;
  Opened opened(folder, {.waiting_max = 20});
  for (int number = 1; number <= 200; ++number) {
    rules::AuditEntry entry;
    entry.at = opened.clock.now();
    entry.actor = "acc_1";
    entry.action = "GET /v1/keys";
    entry.outcome = rules::AuditOutcome::refused;
    opened.log.note(entry);
    opened.clock.advance(1s);
    // What was noted is written before this is.
    if (number % 10 == 0) {
      EXPECT_TRUE(opened.record("between"));
    }
  }
  opened.log.finish();
  opened.writer.stop();
  EXPECT_EQ(count_of(folder), 220);
}

TEST(AuditTrail, PagesFollowEachOtherInBothOrdersAndHoldWhatWasAskedFor) {
  const Folder folder;
  Opened opened(folder);
  for (int number = 1; number <= 25; ++number) {
    opened.clock.advance(1s);
    ASSERT_TRUE(opened.log.record({.at = opened.clock.now(),
                                   .workspace_id = number % 2 == 0 ? "ws_even" : "ws_odd",
                                   .actor = "acc_1",
                                   .action = number < 20 ? "api_key.create" : "app.change",
                                   .subject = "",
                                   .outcome = rules::AuditOutcome::done,
                                   .peer = "",
                                   .request_id = "",
                                   .detail = ""}));
  }
  SqliteReaders readers(folder.database_path());
  const SqliteAuditTrail trail(readers);
  const auto all = [&](rules::AuditQuery query) {
    std::vector<std::int64_t> numbers;
    query.count_max = 4;
    do {
      const auto page = trail.read(query);
      EXPECT_LE(page->entries.size(), 4u);
      for (const auto& kept : page->entries) numbers.push_back(kept.number);
      query.beyond = page->beyond;
    } while (query.beyond != 0);
    return numbers;
  };
  rules::AuditQuery query;
  query.workspace_id = "ws_even";
  EXPECT_EQ(all(query), (std::vector<std::int64_t>{24, 22, 20, 18, 16, 14, 12, 10, 8, 6, 4, 2}));
  query.order = rules::AuditOrder::oldest_first;
  query.action = "app.*";
  EXPECT_EQ(all(query), (std::vector<std::int64_t>{20, 22, 24}));
  query.action = {};
  query.since = base::from_unix_seconds(1'795'000'004);
  query.until = base::from_unix_seconds(1'795'000'008);
  EXPECT_EQ(all(query), (std::vector<std::int64_t>{4, 6}));
  query.actor = "acc_2";
  EXPECT_TRUE(all(query).empty());
}

// Rule audit-read-by-its-owners.
TEST(AuditTrail, AKeyReadsWhatWasDoneByOrToItsAppInItsEnvironment) {
  const Folder folder;
  Opened opened(folder);
  ASSERT_TRUE(opened.writer.run([](SqliteDatabase& database) {
    return database.execute(
        "INSERT INTO workspaces VALUES ('ws_1', 'w', 0); INSERT INTO apps (id, workspace_id, name, "
        "token_uses_max, length_max_seconds, idle_max_seconds, sessions_max, created_at) VALUES "
        "('app_1', 'ws_1', 'a', 1, 1, 1, 1, 0), ('app_2', 'ws_1', 'b', 1, 1, 1, 1, 0); INSERT INTO "
        "api_keys (id, app_id, environment, hash, name, ends, created_at, change) VALUES (1, "
        "'app_1', 1, x'01', '', '', 0, 1), (2, 'app_1', 0, x'02', '', '', 0, 2), (3, 'app_2', 1, "
        "x'03', '', '', 0, 3)");
  }));
  const auto append = [&](const std::string& actor, const std::string& subject) {
    rules::AuditEntry entry;
    entry.at = opened.clock.now();
    entry.workspace_id = "ws_1";
    entry.actor = actor;
    entry.action = "x";
    entry.subject = subject;
    ASSERT_TRUE(opened.log.record(entry));
  };
  append("key_0000000000000001", "");
  append("key_0000000000000002", "");
  append("key_0000000000000003", "");
  append("acc_1", "key_0000000000000001");
  append("acc_1", "app_1");
  append("acc_1", "app_2");
  append("acc_1", "");
  SqliteReaders readers(folder.database_path());
  rules::AuditQuery query;
  query.order = rules::AuditOrder::oldest_first;
  query.of_app = {.app_id = "app_1", .environment = rules::Environment::test};
  std::vector<std::int64_t> numbers;
  const auto page = SqliteAuditTrail(readers).read(query);
  ASSERT_TRUE(page);
  for (const auto& kept : page->entries) numbers.push_back(kept.number);
  EXPECT_EQ(numbers, (std::vector<std::int64_t>{1, 4, 5}));
}

}  // namespace
}  // namespace stagedoor::store
