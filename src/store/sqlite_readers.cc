#include "store/sqlite_readers.h"

namespace stagedoor::store {

base::Result<SqliteDatabase> SqliteReaders::take() {
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      auto database = std::move(idle_.back());
      idle_.pop_back();
      return database;
    }
  }
  auto database = SqliteDatabase::open(path_, SqliteDatabase::Mode::must_exist);
  if (!database) return database;
  if (auto set = database->execute("PRAGMA query_only=ON"); !set) return base::fail(set.error());
  return database;
}

void SqliteReaders::give_back(SqliteDatabase database) {
  if (database.is_in_transaction() && !database.execute("ROLLBACK")) return;
  const std::lock_guard lock(mutex_);
  if (idle_.size() < kept_max) idle_.push_back(std::move(database));
}

base::Result<base::Done> SqliteReaders::read(
    const std::function<base::Result<base::Done>(SqliteDatabase&)>& work) {
  auto database = take();
  if (!database) return base::fail(database.error());
  auto outcome = work(*database);
  give_back(*std::move(database));
  return outcome;
}

}  // namespace stagedoor::store
