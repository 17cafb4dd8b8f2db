// Reading beside the writer.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "folder_for_test.h"
#include "store/sqlite_readers.h"
#include "store/sqlite_writer.h"

namespace stagedoor::store {
namespace {

using Step = SqliteStatement::Step;

std::int64_t count(SqliteDatabase& database) {
  auto read = database.prepare("SELECT count(*) FROM t");
  return read && read->step() == Step::row ? read->integer(0) : -1;
}

TEST(SqliteReaders, ReadWhatIsCommittedWhileAWriteIsUnderWayAndCannotWrite) {
  const Folder folder;
  auto opened = SqliteDatabase::open(folder.database_path(), SqliteDatabase::Mode::create);
  ASSERT_TRUE(opened->execute("CREATE TABLE t (i INTEGER)"));
  SqliteWriter writer(*std::move(opened));
  ASSERT_TRUE(writer.start());
  SqliteReaders readers(folder.database_path());
  const auto written = writer.run([&](SqliteDatabase& database) -> base::Result<base::Done> {
    EXPECT_TRUE(database.execute("INSERT INTO t VALUES (1)"));
    // The writer's transaction is open here.
    return readers.read([](SqliteDatabase& reading) -> base::Result<base::Done> {
      EXPECT_EQ(count(reading), 0);
      EXPECT_FALSE(reading.execute("INSERT INTO t VALUES (2)"));
      return base::Done{};
    });
  });
  ASSERT_TRUE(written);
  ASSERT_TRUE(readers.read([](SqliteDatabase& reading) -> base::Result<base::Done> {
    EXPECT_EQ(count(reading), 1);
    return base::Done{};
  }));
  writer.stop();
}

TEST(SqliteReaders, ATransactionLeftOpenEndsWithTheCallSoThatTheNextOneSeesWhatIsNew) {
  const Folder folder;
  auto opened = SqliteDatabase::open(folder.database_path(), SqliteDatabase::Mode::create);
  ASSERT_TRUE(opened->execute("CREATE TABLE t (i INTEGER)"));
  SqliteReaders readers(folder.database_path());
  const auto look = [&](std::int64_t expected) {
    ASSERT_TRUE(readers.read([&](SqliteDatabase& reading) -> base::Result<base::Done> {
      EXPECT_TRUE(reading.execute("BEGIN"));
      EXPECT_EQ(count(reading), expected);
      return base::Done{};
    }));
  };
  look(0);
  ASSERT_TRUE(opened->execute("INSERT INTO t VALUES (1)"));
  look(1);
}

TEST(SqliteReaders, AFolderThatIsGoneIsTroubleAndNoMistake) {
  SqliteReaders readers("/nowhere/at/all.db");
  const auto outcome =
      readers.read([](SqliteDatabase&) -> base::Result<base::Done> { return base::Done{}; });
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, base::ErrorCode::unavailable);
}

}  // namespace
}  // namespace stagedoor::store
