// What every store of the audit log promises, run against the SQLite one.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <thread>

#include "crypto/random.h"
#include "store/sqlite_audit_log.h"
#include "store/sqlite_writer.h"

namespace stagedoor::store {
namespace {

using base::ErrorCode;
using namespace std::chrono_literals;

class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "stagedoor-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  std::string file(const std::string& name) const { return path_ + "/" + name; }
  SqliteDatabase database() const {
    auto opened = SqliteDatabase::open(file("store.db"), SqliteDatabase::Mode::create);
    EXPECT_TRUE(migrate(*opened));
    return *std::move(opened);
  }

 private:
  std::string path_;
};

base::Result<rules::AuditSealer> key_of(const Folder& folder) {
  auto database = folder.database();
  crypto::SystemRandom random;
  return open_audit_key(database, folder.file("audit-key"), random);
}

// A process with the log open.
struct Opened {
  explicit Opened(const Folder& folder)
      : writer(folder.database()), log(writer, *key_of(folder), clock) {
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
  EXPECT_EQ(opened.record("three").error().code, ErrorCode::conflict);
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

}  // namespace
}  // namespace stagedoor::store
