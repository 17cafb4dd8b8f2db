#include "store/sqlite_database.h"

#include <sqlite3.h>

namespace stagedoor::store {

void SqliteStatement::Finalize::operator()(sqlite3_stmt* statement) const {
  sqlite3_finalize(statement);
}

SqliteStatement& SqliteStatement::bind(int at, std::int64_t number) {
  sqlite3_bind_int64(statement_.get(), at, number);
  return *this;
}

SqliteStatement& SqliteStatement::bind(int at, std::string_view text) {
  sqlite3_bind_text64(statement_.get(), at, text.data(), text.size(), SQLITE_TRANSIENT,
                      SQLITE_UTF8);
  return *this;
}

SqliteStatement& SqliteStatement::bind_blob(int at, std::span<const std::uint8_t> bytes) {
  sqlite3_bind_blob64(statement_.get(), at, bytes.data(), bytes.size(), SQLITE_TRANSIENT);
  return *this;
}

SqliteStatement& SqliteStatement::bind_in_place(int at, std::string_view text) {
  // An empty view may have no address, which would be NULL.
  const char* data = text.empty() ? "" : text.data();
  sqlite3_bind_text64(statement_.get(), at, data, text.size(), SQLITE_STATIC, SQLITE_UTF8);
  return *this;
}

SqliteStatement& SqliteStatement::bind_blob_in_place(int at, std::span<const std::uint8_t> bytes) {
  sqlite3_bind_blob64(statement_.get(), at, bytes.data(), bytes.size(), SQLITE_STATIC);
  return *this;
}

SqliteStatement& SqliteStatement::bind_null(int at) {
  sqlite3_bind_null(statement_.get(), at);
  return *this;
}

SqliteStatement::Step SqliteStatement::step() {
  const int outcome = sqlite3_step(statement_.get());
  if (outcome == SQLITE_ROW) return Step::row;
  return outcome == SQLITE_DONE ? Step::end : Step::failed;
}

bool SqliteStatement::run() {
  auto outcome = step();
  while (outcome == Step::row) outcome = step();
  reset();
  return outcome == Step::end;
}

void SqliteStatement::reset() {
  sqlite3_reset(statement_.get());
  sqlite3_clear_bindings(statement_.get());
}

std::int64_t SqliteStatement::integer(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

std::string_view SqliteStatement::text(int column) const {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_.get(), column));
  if (text == nullptr) return {};
  return {text, static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column))};
}

std::span<const std::uint8_t> SqliteStatement::blob(int column) const {
  const auto* bytes =
      static_cast<const std::uint8_t*>(sqlite3_column_blob(statement_.get(), column));
  return {bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column))};
}

bool SqliteStatement::is_null(int column) const {
  return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL;
}

void SqliteDatabase::Close::operator()(sqlite3* handle) const {
  sqlite3_close_v2(handle);
}

base::Result<SqliteDatabase> SqliteDatabase::open(const std::string& path, Mode mode) {
  // Its count of all memory, which nobody reads, would cost a lock across threads at each
  // allocation.
  static const int uncounted = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
  (void)uncounted;
  sqlite3* handle = nullptr;
  const int flags =
      SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | (mode == Mode::create ? SQLITE_OPEN_CREATE : 0);
  const int outcome = sqlite3_open_v2(path.c_str(), &handle, flags, nullptr);
  SqliteDatabase database(handle);
  if (outcome != SQLITE_OK) return database.trouble("open " + path);
  sqlite3_busy_timeout(handle, 5000);
  if (auto set = database.execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; "
                                  "PRAGMA foreign_keys=ON; PRAGMA trusted_schema=OFF; "
                                  "PRAGMA secure_delete=ON;");
      !set)
    return base::fail(set.error());
  return database;
}

base::Result<SqliteStatement> SqliteDatabase::prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v3(handle_.get(), sql.data(), static_cast<int>(sql.size()),
                         SQLITE_PREPARE_PERSISTENT, &statement, nullptr) != SQLITE_OK)
    return trouble("prepare");
  return SqliteStatement(statement);
}

base::Result<base::Done> SqliteDatabase::execute(const std::string& sql) {
  if (sqlite3_exec(handle_.get(), sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK)
    return trouble("execute");
  return base::Done{};
}

std::unexpected<base::Error> SqliteDatabase::trouble(std::string_view doing) const {
  return base::fail(base::ErrorCode::unavailable,
                    "database: " + std::string(doing) + ": " + sqlite3_errmsg(handle_.get()));
}

std::int64_t SqliteDatabase::total_changes() const {
  return sqlite3_total_changes64(handle_.get());
}

std::int64_t SqliteDatabase::changes() const {
  return sqlite3_changes64(handle_.get());
}

bool SqliteDatabase::is_in_transaction() const {
  return sqlite3_get_autocommit(handle_.get()) == 0;
}

base::Result<base::Done> SqliteDatabase::copy_to(const std::string& path) {
  auto statement = prepare("VACUUM INTO ?1");
  if (!statement) return base::fail(statement.error());
  if (!statement->bind(1, path).run()) return trouble("copy to " + path);
  return base::Done{};
}

}  // namespace stagedoor::store
