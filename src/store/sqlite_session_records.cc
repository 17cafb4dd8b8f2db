#include "store/sqlite_session_records.h"

#include <algorithm>

#include "rules/session_token.h"

namespace stagedoor::store {
namespace {

using Step = SqliteStatement::Step;

constexpr const char* columns =
    "SELECT id, workspace_id, app_id, environment, api_key_id, token_id, end_user_id, avatar_id, "
    "dialect, peer, connections, began_at, last_seen_at, ended_at, end_reason FROM sessions ";

base::Instant instant(std::int64_t millis) {
  return base::Instant(std::chrono::milliseconds(millis));
}

std::string token_id_of(std::span<const std::uint8_t> bytes) {
  rules::SessionTokenId id{};
  std::ranges::copy(bytes.first(std::min(bytes.size(), id.size())), id.begin());
  return rules::text_of(id);
}

rules::SessionRecord record_of(const SqliteStatement& row) {
  rules::SessionRecord record;
  record.id = row.text(0);
  record.workspace_id = row.text(1);
  record.app_id = row.text(2);
  record.environment = static_cast<rules::Environment>(row.integer(3));
  record.api_key_id = static_cast<std::uint64_t>(row.integer(4));
  record.token_id = token_id_of(row.blob(5));
  record.end_user_id = row.text(6);
  record.avatar_id = row.text(7);
  record.dialect = row.text(8);
  record.peer = row.text(9);
  record.connections = static_cast<int>(row.integer(10));
  record.began_at = instant(row.integer(11));
  record.last_seen_at = instant(row.integer(12));
  if (!row.is_null(13)) record.ended_at = instant(row.integer(13));
  record.end_reason = row.text(14);
  return record;
}

base::Result<base::Done> read_page(SqliteDatabase& database, const rules::SessionQuery& query,
                                   rules::SessionPage& page) {
  std::string sql(columns);
  sql += query.beyond.empty() ? "WHERE ?1 = ''" : "WHERE id < ?1";
  auto select = database.prepare(sql + " ORDER BY id DESC");
  if (!select) return base::fail(select.error());
  select->bind(1, query.beyond);
  std::string last;
  auto outcome = select->step();
  for (int looked_at = 0; outcome == Step::row; outcome = select->step()) {
    if (page.sessions.size() >= query.count_max ||
        looked_at++ >= SqliteSessionRecords::looked_at_max) {
      page.beyond = last;
      return base::Done{};
    }
    auto record = record_of(*select);
    last = record.id;
    if (rules::is_meant(query, record)) page.sessions.push_back(std::move(record));
  }
  if (outcome == Step::failed) return database.trouble("read the ledger of sessions");
  return base::Done{};
}

}  // namespace

base::Result<rules::SessionPage> SqliteSessionRecords::list(
    const rules::SessionQuery& query) const {
  rules::SessionPage page;
  const auto done =
      readers_.read([&](SqliteDatabase& database) { return read_page(database, query, page); });
  if (!done) return base::fail(done.error());
  return page;
}

base::Result<rules::SessionRecord> SqliteSessionRecords::find(const rules::SessionQuery& query,
                                                              const std::string& id) const {
  std::optional<rules::SessionRecord> found;
  const auto done = readers_.read([&](SqliteDatabase& database) -> base::Result<base::Done> {
    auto select = database.prepare(std::string(columns) + "WHERE id = ?1");
    if (!select) return base::fail(select.error());
    const auto outcome = select->bind(1, id).step();
    if (outcome == Step::failed) return database.trouble("read a session");
    if (outcome == Step::row) found = record_of(*select);
    return base::Done{};
  });
  if (!done) return base::fail(done.error());
  if (found && rules::is_meant(query, *found)) return *std::move(found);
  return base::fail(base::ErrorCode::not_found, "no session to show",
                    "There is no session with this id.");
}

}  // namespace stagedoor::store
