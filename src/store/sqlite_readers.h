// Connections that only read, for lists and reports: in WAL mode they see the last commit and keep
// the writer waiting for nothing.
//
// Safe for concurrent use.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "store/sqlite_database.h"

namespace stagedoor::store {

class SqliteReaders {
 public:
  explicit SqliteReaders(std::string path) : path_(std::move(path)) {}

  // Calls `work` with a connection that nobody else uses meanwhile; whatever it tries to write
  // fails. What it reads is one state of the database if it reads within one statement, or after
  // `BEGIN`, which ends with the call. `unavailable` where the database can't be opened. Not from
  // an event loop.
  base::Result<base::Done> read(
      const std::function<base::Result<base::Done>(SqliteDatabase&)>& work);
  // The same for work that gives a value: `work` returns base::Result<T>.
  template <class T, class Work>
  base::Result<T> read_value(Work work) {
    std::optional<T> value;
    auto done = read([&](SqliteDatabase& database) -> base::Result<base::Done> {
      auto found = work(database);
      if (!found) return base::fail(found.error());
      value = *std::move(found);
      return base::Done{};
    });
    if (!done) return base::fail(done.error());
    return *std::move(value);
  }

 private:
  // More than are kept are opened for the moment and closed again.
  static constexpr std::size_t kept_max = 8;

  base::Result<SqliteDatabase> take();
  void give_back(SqliteDatabase database);

  const std::string path_;
  std::mutex mutex_;
  std::vector<SqliteDatabase> idle_;
};

}  // namespace stagedoor::store
