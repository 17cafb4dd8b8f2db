#include "store/sqlite_api_key_records.h"

#include <algorithm>
#include <utility>

#include "rules/api_key_strength.h"
#include "store/api_key_row.h"

namespace stagedoor::store {
namespace {

using base::ErrorCode;
using Step = SqliteStatement::Step;
using base::Done;
using base::Result;
using rules::ApiKey;
using rules::Retirement;

constexpr int number_column = 18;  // behind api_key_columns
constexpr std::string_view next_change = "(SELECT max(change) + 1 FROM api_keys)";

std::int64_t stored(std::uint64_t id) {
  return static_cast<std::int64_t>(id);
}

Result<ApiKey> read_key(SqliteDatabase& database, std::uint64_t id) {
  auto read =
      database.prepare("SELECT " + std::string(api_key_columns) + " FROM api_keys WHERE id = ?1");
  if (!read) return base::fail(read.error());
  const auto outcome = read->bind(1, stored(id)).step();
  if (outcome == Step::failed) return database.trouble("read API key");
  if (outcome == Step::row) return api_key_of(*read);
  return base::fail(ErrorCode::not_found, "an unknown key", "There is no key with this id.");
}

// When the last of what a maker makes ends; nullopt: never.
using LastEnd = std::optional<base::Instant>;

Result<LastEnd> check_key_standing(SqliteDatabase& database, std::uint64_t id, base::Instant now) {
  const auto key = read_key(database, id);
  if (!key && key.error().code != ErrorCode::not_found) return base::fail(key.error());
  if (key && !key->revoked_at && !key->frozen_at && !key->has_expired(now)) return key->expires_at;
  return base::fail(ErrorCode::unauthenticated,
                    "maker " + rules::api_key_id_text(id) + " ended meanwhile");
}

Result<Done> check_person_standing(SqliteDatabase& database, const rules::MadeByPerson& person) {
  auto read = database.prepare(
      "SELECT role FROM members WHERE workspace_id = ?1 AND account_id = ?2 AND removed_at IS "
      "NULL");
  if (!read) return base::fail(read.error());
  const auto outcome = read->bind(1, person.workspace_id).bind(2, person.account_id).step();
  if (outcome == Step::failed) return database.trouble("read a role");
  if (outcome == Step::row && read->integer(0) >= static_cast<std::int64_t>(person.role))
    return Done{};
  return base::fail(ErrorCode::forbidden, person.account_id + " lost the role meanwhile",
                    "Your role in the workspace has changed meanwhile.");
}

// Rule api-key-maker-in-good-standing.
Result<LastEnd> check_standing(SqliteDatabase& database, const rules::ApiKeyMaker& maker,
                               base::Instant now) {
  if (const auto* key = std::get_if<rules::MadeByKey>(&maker))
    return check_key_standing(database, key->id, now);
  if (const auto* person = std::get_if<rules::MadeByPerson>(&maker))
    if (auto may = check_person_standing(database, *person); !may) return base::fail(may.error());
  return LastEnd();
}

// The same, for what is made or given back with this end.
Result<Done> check_may_give(SqliteDatabase& database, const rules::ApiKeyMaker& maker,
                            base::Instant now, LastEnd expires_at) {
  const auto last_end = check_standing(database, maker, now);
  if (!last_end) return base::fail(last_end.error());
  return rules::check_not_outliving(expires_at, *last_end);
}

Result<Done> refuse_revoked(const ApiKey& key) {
  if (!key.revoked_at) return Done{};
  return base::fail(ErrorCode::conflict, "change of a revoked key",
                    "This key is revoked, which is for good.");
}

// Runs an UPDATE of one key whose ?1 is its id; `bind` fills in the rest.
template <class Bind>
Result<Done> update(SqliteDatabase& database, std::uint64_t id, std::string_view set,
                    const Bind& bind) {
  auto statement = database.prepare("UPDATE api_keys SET " + std::string(set) +
                                    ", change = " + std::string(next_change) + " WHERE id = ?1");
  if (!statement) return base::fail(statement.error());
  statement->bind(1, stored(id));
  bind(*statement);
  if (!statement->run()) return database.trouble("change API key");
  return Done{};
}

Result<Done> set_revoked(SqliteDatabase& database, std::uint64_t id, base::Instant now,
                         const std::string& reason) {
  return update(database, id, "revoked_at = ?2, revoked_reason = ?3", [&](auto& statement) {
    statement.bind(2, base::unix_millis(now)).bind(3, reason);
  });
}

Result<Done> set_frozen(SqliteDatabase& database, std::uint64_t id, base::Instant now,
                        const std::string& reason) {
  return update(database, id, "frozen_at = ?2, frozen_reason = ?3", [&](auto& statement) {
    statement.bind(2, base::unix_millis(now)).bind(3, reason);
  });
}

// False where it is known already.
Result<bool> remember_report(SqliteDatabase& database, std::uint64_t id,
                             const crypto::Digest& report, base::Instant now) {
  auto insert = database.prepare(
      "INSERT INTO leak_reports (api_key_id, report, at) VALUES (?1, ?2, ?3) ON CONFLICT DO "
      "NOTHING");
  if (!insert) return base::fail(insert.error());
  insert->bind(1, stored(id)).bind_blob(2, report).bind(3, base::unix_millis(now));
  if (!insert->run()) return database.trouble("remember a report");
  if (database.changes() == 0) return false;
  auto forget = database.prepare(
      "DELETE FROM leak_reports WHERE api_key_id = ?1 AND report IN (SELECT report FROM "
      "leak_reports WHERE api_key_id = ?1 ORDER BY at DESC LIMIT -1 OFFSET ?2)");
  if (!forget) return base::fail(forget.error());
  forget->bind(1, stored(id)).bind(2, rules::ApiKeyRecords::leak_reports_per_key_max);
  if (!forget->run()) return database.trouble("forget reports");
  return true;
}

// The old key goes; `successor` 0 leaves what it is replaced by as it is.
Result<Done> retire(SqliteDatabase& database, const ApiKey& key, const Retirement& retirement,
                    std::uint64_t successor) {
  if (successor != 0) {
    auto done = update(database, key.id, "replaced_by = ?2",
                       [&](auto& statement) { statement.bind(2, stored(successor)); });
    if (!done) return done;
  }
  if (retirement.is_at_once()) return set_revoked(database, key.id, retirement.now, "superseded");
  return update(database, key.id, "expires_at = ?2", [&](auto& statement) {
    statement.bind(2, base::unix_millis(retirement.end_of(key.expires_at)));
  });
}

Result<bool> is_hash_known(SqliteDatabase& database, const rules::ApiKeyHash& hash) {
  auto read = database.prepare("SELECT 1 FROM api_keys WHERE hash = ?1");
  if (!read) return base::fail(read.error());
  const auto outcome = read->bind_blob(1, hash).step();
  if (outcome == Step::failed) return database.trouble("read API key");
  return outcome == Step::row;
}

// Keys of an app and environment that work past a time, or would if they were unfrozen.
constexpr std::string_view working =
    "FROM api_keys WHERE app_id = ?1 AND environment = ?2 AND revoked_at IS NULL AND (expires_at "
    "IS NULL OR expires_at > ?3)";

Result<std::vector<ApiKey>> working_keys(SqliteDatabase& database, const std::string& app_id,
                                         rules::Environment environment, base::Instant now) {
  auto read = database.prepare("SELECT " + std::string(api_key_columns) + " " +
                               std::string(working) + " ORDER BY number LIMIT ?4");
  if (!read) return base::fail(read.error());
  read->bind(1, app_id).bind(2, static_cast<std::int64_t>(environment));
  read->bind(3, base::unix_millis(now)).bind(4, rules::ApiKeyRecords::rotated_at_once_max + 1);
  std::vector<ApiKey> keys;
  auto outcome = read->step();
  for (; outcome == Step::row; outcome = read->step()) keys.push_back(api_key_of(*read));
  if (outcome == Step::failed) return database.trouble("read API keys");
  return keys;
}

// How many of them there are past the end of the grace that no rotation has just made.
Result<std::int64_t> count_left(SqliteDatabase& database, const std::string& app_id,
                                rules::Environment environment, base::Instant end,
                                const std::vector<std::uint64_t>& successors) {
  auto read = database.prepare("SELECT id " + std::string(working));
  if (!read) return base::fail(read.error());
  read->bind(1, app_id).bind(2, static_cast<std::int64_t>(environment));
  read->bind(3, base::unix_millis(end));
  std::int64_t left = 0;
  auto outcome = read->step();
  for (; outcome == Step::row; outcome = read->step())
    if (!std::ranges::binary_search(successors, static_cast<std::uint64_t>(read->integer(0))))
      ++left;
  if (outcome == Step::failed) return database.trouble("read API keys");
  return left;
}

}  // namespace

SqliteApiKeyRecords::SqliteApiKeyRecords(SqliteWriter& writer, SqliteReaders& readers,
                                         SqliteAuditLog& audit)
    : writer_(writer), readers_(readers), audit_(audit) {}

Result<Done> SqliteApiKeyRecords::retire_frozen(SqliteDatabase& database, const ApiKey& key,
                                                const Retirement& retirement,
                                                rules::AuditEntry entry) const {
  entry.action = "api_key.rotate";
  entry.subject = rules::api_key_id_text(key.id);
  entry.detail = "frozen: retires without a successor";
  if (auto gone = retire(database, key, retirement, 0); !gone) return gone;
  return audit_.append(database, entry);
}

Result<Done> SqliteApiKeyRecords::add(SqliteDatabase& database,
                                      const rules::NewApiKey& made) const {
  if (auto inserted = insert_api_key(database, made.key, made.hash); !inserted) return inserted;
  return audit_.append(database, made.entry);
}

Result<Done> SqliteApiKeyRecords::record(const rules::ApiKeyMaker& maker, rules::AuditEntry entry) {
  return writer_.run([&](SqliteDatabase& database) -> Result<Done> {
    if (auto may = check_standing(database, maker, entry.at); !may) return base::fail(may.error());
    return audit_.append(database, entry);
  });
}

Result<Done> SqliteApiKeyRecords::create(const rules::ApiKeyMaker& maker,
                                         std::vector<rules::NewApiKey> made) {
  return writer_.run([&](SqliteDatabase& database) -> Result<Done> {
    if (made.empty()) return Done{};
    const auto last_end = check_standing(database, maker, made.front().key.created_at);
    if (!last_end) return base::fail(last_end.error());
    for (std::size_t i = 0; i < made.size(); ++i) {
      const auto expires_at = made[i].key.expires_at;
      if (auto may = rules::check_not_outliving(expires_at, *last_end); !may) return may;
      const auto known = is_hash_known(database, made[i].hash);
      if (!known) return base::fail(known.error());
      if (*known)
        return base::fail(
            ErrorCode::conflict, "a hash that is here already",
            "Key number " + std::to_string(i + 1) + " is here already; nothing was created.");
      if (auto added = add(database, made[i]); !added) return added;
    }
    return Done{};
  });
}

Result<ApiKey> SqliteApiKeyRecords::read(std::uint64_t id) const {
  Result<ApiKey> key = base::fail(ErrorCode::unavailable, "not read");
  const auto done = readers_.read([&](SqliteDatabase& database) -> Result<Done> {
    key = read_key(database, id);
    return Done{};
  });
  if (!done) return base::fail(done.error());
  return key;
}

Result<rules::ApiKeyPage> SqliteApiKeyRecords::list(const rules::ApiKeyQuery& query) const {
  rules::ApiKeyPage page;
  const auto count = std::clamp<std::size_t>(query.count_max, 1, rules::api_key_page_max);
  std::string where = ", number FROM api_keys WHERE true";
  if (query.after) where += " AND (app_id, environment, number) < (?1, ?2, ?3)";
  if (!query.app_id.empty()) where += " AND app_id = ?4";
  if (query.environment) where += " AND environment = ?5";
  const auto done = readers_.read([&](SqliteDatabase& database) -> Result<Done> {
    auto read = database.prepare("SELECT " + std::string(api_key_columns) + where +
                                 " ORDER BY app_id DESC, environment DESC, number DESC LIMIT ?6");
    if (!read) return base::fail(read.error());
    if (const auto& after = query.after) {
      read->bind(1, after->app_id).bind(2, static_cast<std::int64_t>(after->environment));
      read->bind(3, after->number);
    }
    if (!query.app_id.empty()) read->bind(4, query.app_id);
    if (query.environment) read->bind(5, static_cast<std::int64_t>(*query.environment));
    read->bind(6, static_cast<std::int64_t>(count + 1));
    rules::ApiKeyCursor last;
    auto outcome = read->step();
    for (; outcome == Step::row && page.keys.size() < count; outcome = read->step()) {
      const auto& key = page.keys.emplace_back(api_key_of(*read));
      last = {key.app_id, key.environment, read->integer(number_column)};
    }
    if (outcome == Step::failed) return database.trouble("list API keys");
    if (outcome == Step::row) page.next = std::move(last);
    return Done{};
  });
  if (!done) return base::fail(done.error());
  return page;
}

Result<ApiKey> SqliteApiKeyRecords::change(std::uint64_t id, const rules::AuditEntry& entry,
                                           const Change& change) {
  std::optional<ApiKey> key;
  const auto done = writer_.run([&](SqliteDatabase& database) -> Result<Done> {
    auto before = read_key(database, id);
    if (!before) return base::fail(before.error());
    if (auto changed = change(database, *before); !changed) return changed;
    if (auto appended = audit_.append(database, entry); !appended) return appended;
    auto after = read_key(database, id);
    if (!after) return base::fail(after.error());
    key = *std::move(after);
    return Done{};
  });
  if (!done) return base::fail(done.error());
  return *std::move(key);
}

Result<ApiKey> SqliteApiKeyRecords::freeze(std::uint64_t id, base::Instant now, std::string reason,
                                           rules::AuditEntry entry) {
  return change(id, entry, [&](SqliteDatabase& database, ApiKey& key) -> Result<Done> {
    if (auto may = refuse_revoked(key); !may) return may;
    if (key.frozen_at) return Done{};
    return set_frozen(database, id, now, reason);
  });
}

Result<ApiKey> SqliteApiKeyRecords::freeze_for_report(std::uint64_t id,
                                                      const crypto::Digest& report,
                                                      base::Instant now, std::string reason,
                                                      rules::AuditEntry entry) {
  Result<ApiKey> key = base::fail(ErrorCode::unavailable, "not frozen");
  const auto done = writer_.run([&](SqliteDatabase& database) -> Result<Done> {
    key = read_key(database, id);
    if (!key) return base::fail(key.error());
    if (auto may = refuse_revoked(*key); !may) return may;
    const auto is_new = remember_report(database, id, report, now);
    if (!is_new) return base::fail(is_new.error());
    if (!*is_new) return Done{};
    if (!key->frozen_at) {
      if (auto frozen = set_frozen(database, id, now, reason); !frozen) return frozen;
    }
    key = read_key(database, id);
    return audit_.append(database, entry);
  });
  if (!done) return base::fail(done.error());
  return key;
}

Result<ApiKey> SqliteApiKeyRecords::unfreeze(const rules::ApiKeyMaker& maker, std::uint64_t id,
                                             rules::AuditEntry entry) {
  return change(id, entry, [&](SqliteDatabase& database, ApiKey& key) -> Result<Done> {
    if (auto may = refuse_revoked(key); !may) return may;
    if (auto may = check_may_give(database, maker, entry.at, key.expires_at); !may) return may;
    if (!key.frozen_at) return Done{};
    return update(database, id, "frozen_at = NULL, frozen_reason = ''", [](auto&) {});
  });
}

Result<ApiKey> SqliteApiKeyRecords::revoke(std::uint64_t id, base::Instant now, std::string reason,
                                           rules::AuditEntry entry) {
  return change(id, entry, [&](SqliteDatabase& database, ApiKey& key) -> Result<Done> {
    if (key.revoked_at) return Done{};
    return set_revoked(database, id, now, reason);
  });
}

Result<ApiKey> SqliteApiKeyRecords::rotate(const rules::ApiKeyMaker& maker, std::uint64_t id,
                                           const Retirement& retirement,
                                           rules::NewApiKey successor) {
  return change(id, successor.entry, [&](SqliteDatabase& database, ApiKey& key) -> Result<Done> {
    const auto expires_at = successor.key.expires_at;
    if (auto may = check_may_give(database, maker, retirement.now, expires_at); !may) return may;
    if (auto may = rules::check_may_rotate(key, retirement); !may) return may;
    if (auto made = insert_api_key(database, successor.key, successor.hash); !made) return made;
    return retire(database, key, retirement, successor.key.id);
  });
}

Result<rules::ApiKeyRecords::Rotated> SqliteApiKeyRecords::rotate_all(
    const rules::ApiKeyMaker& maker, const std::string& app_id, rules::Environment environment,
    const Retirement& retirement, const MakeSuccessor& make, rules::AuditEntry entry) {
  Rotated rotated;
  const auto done = writer_.run([&](SqliteDatabase& database) -> Result<Done> {
    // Before the first key retires, which may be the maker's own.
    const auto last_end = check_standing(database, maker, retirement.now);
    if (!last_end) return base::fail(last_end.error());
    const auto keys = working_keys(database, app_id, environment, retirement.now);
    if (!keys) return base::fail(keys.error());
    if (std::ssize(*keys) > rotated_at_once_max)
      return base::fail(ErrorCode::conflict, "too many keys to rotate at once",
                        "The app has more than 10000 keys that work; rotate or revoke some first.");
    std::vector<std::uint64_t> successors;
    for (const auto& key : *keys) {
      std::uint64_t successor_id = 0;
      if (key.frozen_at) {
        rotated.frozen.push_back(key.id);
        if (auto gone = retire_frozen(database, key, retirement, entry); !gone) return gone;
        continue;
      }
      if (!key.replaced_by) {
        const auto successor = make(key);
        if (!successor) return base::fail(successor.error());
        if (auto may = rules::check_not_outliving(successor->key.expires_at, *last_end); !may)
          return may;
        if (auto added = add(database, *successor); !added) return added;
        successor_id = successor->key.id;
        successors.push_back(successor_id);
      }
      rotated.old_and_new.emplace_back(key.id, successor_id != 0 ? successor_id : *key.replaced_by);
      if (auto gone = retire(database, key, retirement, successor_id); !gone) return gone;
    }
    std::ranges::sort(successors);
    const auto left =
        count_left(database, app_id, environment, retirement.end_of(std::nullopt), successors);
    if (!left) return base::fail(left.error());
    rotated.left = *left;
    return audit_.append(database, entry);
  });
  if (!done) return base::fail(done.error());
  return rotated;
}

}  // namespace stagedoor::store
