// What a key has touched, out of what was counted and kept of it.
#include "store/api_key_row.h"
#include "store/sqlite_api_key_records.h"

namespace stagedoor::store {
namespace {

using base::Done;
using base::Result;
using rules::BlastRadius;
using Step = SqliteStatement::Step;

// Runs a query whose ?1 is the key's id and ?2 the most rows that are wanted, row by row.
template <class Take>
Result<Done> each_row(SqliteDatabase& database, std::uint64_t id, const std::string& sql,
                      const Take& take) {
  auto read = database.prepare(sql);
  if (!read) return base::fail(read.error());
  read->bind(1, static_cast<std::int64_t>(id));
  read->bind(2, static_cast<std::int64_t>(BlastRadius::listed_max));
  auto outcome = read->step();
  for (; outcome == Step::row; outcome = read->step()) take(*read);
  if (outcome == Step::failed) return database.trouble("blast radius");
  return Done{};
}

Result<Done> read_calls(SqliteDatabase& database, std::uint64_t id, BlastRadius& radius) {
  auto done = each_row(database, id,
                       "SELECT count, last_at FROM api_key_uses WHERE api_key_id = ?1 LIMIT ?2",
                       [&](const SqliteStatement& row) {
                         radius.calls = row.integer(0);
                         radius.last_call_at = instant_of(row.integer(1));
                       });
  if (!done) return done;
  done =
      each_row(database, id, "SELECT count(*) FROM api_key_networks WHERE api_key_id = ?1 LIMIT ?2",
               [&](const SqliteStatement& row) { radius.network_count = row.integer(0); });
  if (!done) return done;
  return each_row(database, id,
                  "SELECT peer, first_at, last_at, count FROM api_key_networks WHERE api_key_id = "
                  "?1 ORDER BY last_at DESC LIMIT ?2",
                  [&](const SqliteStatement& row) {
                    radius.networks.push_back({std::string(row.text(0)), instant_of(row.integer(1)),
                                               instant_of(row.integer(2)), row.integer(3)});
                  });
}

Result<Done> read_sessions(SqliteDatabase& database, std::uint64_t id, BlastRadius& radius) {
  auto done = each_row(database, id,
                       "SELECT count(*), count(*) FILTER (WHERE ended_at IS NULL) FROM sessions "
                       "WHERE api_key_id = ?1 LIMIT ?2",
                       [&](const SqliteStatement& row) {
                         radius.session_count = row.integer(0);
                         radius.live_session_count = row.integer(1);
                       });
  if (!done) return done;
  return each_row(
      database, id,
      "SELECT id, avatar_id, end_user_id, peer, began_at, ended_at FROM sessions WHERE api_key_id "
      "= ?1 ORDER BY began_at DESC LIMIT ?2",
      [&](const SqliteStatement& row) {
        radius.sessions.push_back({std::string(row.text(0)), std::string(row.text(1)),
                                   std::string(row.text(2)), std::string(row.text(3)),
                                   instant_of(row.integer(4)), row.is_null(5)});
      });
}

Result<Done> read_keys_made(SqliteDatabase& database, std::uint64_t id, BlastRadius& radius) {
  auto read = database.prepare(
      "SELECT id, count(*) OVER () FROM api_keys WHERE created_by = ?1 AND created_by LIKE 'key_%' "
      "ORDER BY number DESC LIMIT ?2");
  if (!read) return base::fail(read.error());
  read->bind(1, rules::api_key_id_text(id));
  read->bind(2, static_cast<std::int64_t>(BlastRadius::listed_max));
  auto outcome = read->step();
  for (; outcome == Step::row; outcome = read->step()) {
    radius.keys_made.push_back(static_cast<std::uint64_t>(read->integer(0)));
    radius.keys_made_count = read->integer(1);
  }
  if (outcome == Step::failed) return database.trouble("blast radius");
  return Done{};
}

Result<Done> read_room_tokens(SqliteDatabase& database, std::uint64_t id, BlastRadius& radius) {
  auto read = database.prepare(
      "SELECT subject, peer, at, count(*) OVER () FROM audit_log WHERE actor = ?1 AND "
      "action = 'room_token.mint' AND outcome = ?3 ORDER BY number DESC LIMIT ?2");
  if (!read) return base::fail(read.error());
  read->bind(1, rules::api_key_id_text(id));
  read->bind(2, static_cast<std::int64_t>(BlastRadius::listed_max));
  read->bind(3, static_cast<std::int64_t>(rules::AuditOutcome::done));
  auto outcome = read->step();
  for (; outcome == Step::row; outcome = read->step()) {
    radius.room_tokens.push_back(
        {std::string(read->text(0)), std::string(read->text(1)), instant_of(read->integer(2))});
    radius.room_token_count = read->integer(3);
  }
  if (outcome == Step::failed) return database.trouble("blast radius");
  return Done{};
}

}  // namespace

Result<BlastRadius> SqliteApiKeyRecords::blast_radius(const rules::ApiKey& key) const {
  BlastRadius radius;
  radius.app_ids.push_back(key.app_id);
  const auto done = readers_.read([&](SqliteDatabase& database) -> Result<Done> {
    if (auto begun = database.execute("BEGIN"); !begun) return begun;
    if (auto calls = read_calls(database, key.id, radius); !calls) return calls;
    if (auto sessions = read_sessions(database, key.id, radius); !sessions) return sessions;
    if (auto rooms = read_room_tokens(database, key.id, radius); !rooms) return rooms;
    return read_keys_made(database, key.id, radius);
  });
  if (!done) return base::fail(done.error());
  return radius;
}

}  // namespace stagedoor::store
