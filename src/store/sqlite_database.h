// SQLite in a few typed words: a connection, a statement, trouble as a Result.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace stagedoor::store {

// A prepared statement, kept and used again. Bind by position from 1, step, read by column from 0.
class SqliteStatement {
 public:
  explicit SqliteStatement(sqlite3_stmt* statement) : statement_(statement) {}

  SqliteStatement& bind(int at, std::int64_t number);
  SqliteStatement& bind(int at, std::string_view text);
  SqliteStatement& bind_blob(int at, std::span<const std::uint8_t> bytes);
  // Not copied, as the others are: they must stay until the statement has run or is reset.
  SqliteStatement& bind_in_place(int at, std::string_view text);
  SqliteStatement& bind_blob_in_place(int at, std::span<const std::uint8_t> bytes);
  SqliteStatement& bind_null(int at);

  enum class Step { row, end, failed };
  Step step();
  // Steps to the end; true if all went well. Resets either way.
  bool run();
  // Makes it ready for the next use.
  void reset();

  std::int64_t integer(int column) const;
  std::string_view text(int column) const;  // valid until the next step
  std::span<const std::uint8_t> blob(int column) const;
  bool is_null(int column) const;

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

// One connection. Not safe for concurrent use.
class SqliteDatabase {
 public:
  enum class Mode { must_exist, create };
  // Opens with WAL, full synchronisation (a commit is on disk when it returns), foreign keys, and
  // 5 s of patience with other processes.
  static base::Result<SqliteDatabase> open(const std::string& path, Mode mode);

  base::Result<SqliteStatement> prepare(std::string_view sql);
  base::Result<base::Done> execute(const std::string& sql);  // one or several, without values
  // `unavailable` with SQLite's words for what went wrong last.
  std::unexpected<base::Error> trouble(std::string_view doing) const;
  std::int64_t changes() const;        // of the last statement
  std::int64_t total_changes() const;  // since it was opened
  bool is_in_transaction() const;
  // A consistent copy of everything, made while others go on writing.
  base::Result<base::Done> copy_to(const std::string& path);

 private:
  struct Close {
    void operator()(sqlite3* handle) const;
  };
  explicit SqliteDatabase(sqlite3* handle) : handle_(handle) {}
  std::unique_ptr<sqlite3, Close> handle_;
};

// Brings the database to the newest shape (store/migrations); refuses one from a newer program.
base::Result<base::Done> migrate(SqliteDatabase& database);

}  // namespace stagedoor::store
