#include "store/sqlite_api_keys.h"

#include <algorithm>

namespace stagedoor::store {
namespace {

using Step = SqliteStatement::Step;

base::Instant instant(std::int64_t millis) {
  return base::Instant(std::chrono::milliseconds(millis));
}

constexpr std::string_view columns =
    "SELECT id, app_id, environment, name, ends, created_at, revoked_at, revoked_reason FROM "
    "api_keys ";

rules::ApiKey key_of(const SqliteStatement& row) {
  rules::ApiKey key{.id = static_cast<std::uint64_t>(row.integer(0)),
                    .app_id = std::string(row.text(1)),
                    .environment = static_cast<rules::Environment>(row.integer(2)),
                    .name = std::string(row.text(3)),
                    .ends = std::string(row.text(4)),
                    .created_at = instant(row.integer(5)),
                    .revoked_at = {},
                    .revoked_reason = std::string(row.text(7))};
  if (!row.is_null(6)) key.revoked_at = instant(row.integer(6));
  return key;
}

}  // namespace

SqliteApiKeys::SqliteApiKeys(SqliteWriter& writer, SqliteCatalog& catalog)
    : writer_(writer), catalog_(catalog) {
  writer.on_change([this](SqliteDatabase& database) { return read(database); });
}

std::optional<rules::KnownApiKey> SqliteApiKeys::find(const rules::ApiKeyHash& hash) const {
  Entry entry;
  {
    const auto& shard = shard_of(hash);
    const std::shared_lock lock(shard.mutex);
    const auto found = shard.entries.find(hash);
    if (found == shard.entries.end()) return std::nullopt;
    entry = found->second;
  }
  const auto* app = entry.app->load(std::memory_order_acquire);
  if (app == nullptr) return std::nullopt;
  return rules::KnownApiKey{
      .id = entry.id, .environment = entry.environment, .app = app, .terms = entry.terms};
}

const rules::ApiKeyTerms* SqliteApiKeys::shared(rules::ApiKeyTerms terms) {
  for (const auto& known : all_terms_)
    if (*known == terms) return known.get();
  return all_terms_.emplace_back(std::make_unique<const rules::ApiKeyTerms>(std::move(terms)))
      .get();
}

void SqliteApiKeys::make_room(SqliteDatabase& database) {
  if (change_ != 0) return;
  auto count = database.prepare("SELECT count(*) FROM api_keys");
  if (!count || count->step() != Step::row) return;
  const auto each = static_cast<std::size_t>(count->integer(0)) / shards_.size();
  for (auto& shard : shards_) shard.entries.reserve(each + each / 64);
}

bool SqliteApiKeys::read(SqliteDatabase& database) {
  make_room(database);
  const bool is_first = change_ == 0;
  std::vector<std::uint64_t> revoked;
  // At the start everything is new: then the table's own order is four times as fast as the index.
  constexpr std::string_view all =
      "SELECT id, app_id, environment, hash, revoked_at, change FROM api_keys";
  auto changed = database.prepare(
      is_first ? std::string(all) : std::string(all) + " WHERE change > ?1 ORDER BY change");
  if (!changed) return false;
  if (!is_first) changed->bind(1, change_);
  auto newest = change_;
  std::string last_app;
  const SqliteCatalog::AppPlace* last_place = nullptr;
  auto outcome = changed->step();
  for (; outcome == Step::row; outcome = changed->step()) {
    const auto bytes = changed->blob(3);
    rules::ApiKeyHash hash;
    if (bytes.size() != hash.size()) continue;
    std::ranges::copy(bytes, hash.begin());
    if (const auto app = changed->text(1); app != last_app) {
      last_app = app;
      last_place = &catalog_.place_of(app);
    }
    auto& shard = shard_of(hash);
    const std::unique_lock lock(shard.mutex);
    if (changed->is_null(4)) {
      shard.entries.insert_or_assign(
          hash, Entry{.id = static_cast<std::uint64_t>(changed->integer(0)),
                      .app = last_place,
                      .terms = shared({}),
                      .environment = static_cast<rules::Environment>(changed->integer(2))});
    } else {
      shard.entries.erase(hash);
      revoked.push_back(static_cast<std::uint64_t>(changed->integer(0)));
    }
    newest = std::max(newest, changed->integer(5));
  }
  // Only what was read to its end counts as read; reading a row again does no harm.
  if (outcome == Step::end) change_ = newest;
  if (!revoked.empty()) note_revoked(std::move(revoked), is_first);
  return outcome == Step::end;
}

void SqliteApiKeys::note_revoked(std::vector<std::uint64_t> ids, bool at_start) {
  {
    const std::unique_lock lock(revoked_mutex_);
    revoked_.insert(ids.begin(), ids.end());
  }
  if (at_start) return;
  std::ranges::sort(ids);
  forget(ids);
  const std::shared_lock lock(revoked_mutex_);
  if (on_revoked_) on_revoked_(ids);
}

bool SqliteApiKeys::is_revoked(std::uint64_t id) const {
  const std::shared_lock lock(revoked_mutex_);
  return revoked_.contains(id);
}

void SqliteApiKeys::on_revoked(OnRevoked listener) {
  const std::unique_lock lock(revoked_mutex_);
  on_revoked_ = std::move(listener);
}

void SqliteApiKeys::forget(std::span<const std::uint64_t> ids) {
  for (auto& shard : shards_) {
    const std::unique_lock lock(shard.mutex);
    boost::unordered::erase_if(shard.entries, [&](const auto& entry) {
      return std::ranges::binary_search(ids, entry.second.id);
    });
  }
}

base::Result<base::Done> SqliteApiKeys::create(const rules::ApiKey& key,
                                               const rules::ApiKeyHash& hash) {
  return writer_.run([&](SqliteDatabase& database) -> base::Result<base::Done> {
    auto insert = database.prepare(
        "INSERT INTO api_keys (id, app_id, environment, hash, name, ends, created_at, change) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, (SELECT ifnull(max(change), 0) + 1 FROM api_keys))");
    if (!insert) return base::fail(insert.error());
    insert->bind(1, static_cast<std::int64_t>(key.id)).bind(2, key.app_id);
    insert->bind(3, static_cast<std::int64_t>(key.environment)).bind_blob(4, hash);
    insert->bind(5, key.name).bind(6, key.ends).bind(7, base::unix_millis(key.created_at));
    if (!insert->run()) return database.trouble("create API key");
    return base::Done{};
  });
}

base::Result<rules::ApiKey> SqliteApiKeys::revoke(std::uint64_t id, base::Instant now,
                                                  std::string reason) {
  std::optional<rules::ApiKey> key;
  const auto done = writer_.run([&](SqliteDatabase& database) -> base::Result<base::Done> {
    auto update = database.prepare(
        "UPDATE api_keys SET revoked_at = ?2, revoked_reason = ?3, "
        "change = (SELECT max(change) + 1 FROM api_keys) WHERE id = ?1 AND revoked_at IS NULL");
    auto read = database.prepare(std::string(columns) + "WHERE id = ?1");
    if (!update || !read) return database.trouble("revoke API key");
    if (!update->bind(1, static_cast<std::int64_t>(id))
             .bind(2, base::unix_millis(now))
             .bind(3, reason)
             .run())
      return database.trouble("revoke API key");
    read->bind(1, static_cast<std::int64_t>(id));
    if (read->step() != Step::row) {
      return base::fail(base::ErrorCode::not_found, "revoke an unknown key",
                        "There is no key with this id.");
    }
    key = key_of(*read);
    return base::Done{};
  });
  if (!done) return base::fail(done.error());
  return *std::move(key);
}

base::Result<std::vector<rules::ApiKey>> SqliteApiKeys::list(std::string_view app_id) const {
  std::vector<rules::ApiKey> keys;
  const auto done = writer_.run([&](SqliteDatabase& database) -> base::Result<base::Done> {
    auto read = database.prepare(std::string(columns) +
                                 "WHERE ?1 = '' OR app_id = ?1 ORDER BY created_at, id");
    if (!read) return base::fail(read.error());
    read->bind(1, app_id);
    while (read->step() == Step::row) keys.push_back(key_of(*read));
    return base::Done{};
  });
  if (!done) return base::fail(done.error());
  return keys;
}

void SqliteApiKeys::rehash(std::uint64_t id, const rules::ApiKeyHash& from,
                           const rules::ApiKeyHash& to) {
  (void)writer_.submit(
      {.work =
           [id, from, to](SqliteDatabase& database) {
             auto update = database.prepare(
                 "UPDATE api_keys SET hash = ?3, change = (SELECT max(change) + 1 FROM api_keys) "
                 "WHERE id = ?1 AND hash = ?2");
             if (!update) return;
             (void)update->bind(1, static_cast<std::int64_t>(id))
                 .bind_blob(2, from)
                 .bind_blob(3, to)
                 .run();
           },
       .done =
           [this, from](bool is_durable) {
             if (!is_durable) return;
             auto& shard = shard_of(from);
             const std::unique_lock lock(shard.mutex);
             shard.entries.erase(from);
           },
       .changes_catalog = true});
}

std::size_t SqliteApiKeys::count() const {
  std::size_t count = 0;
  for (const auto& shard : shards_) {
    const std::shared_lock lock(shard.mutex);
    count += shard.entries.size();
  }
  return count;
}

}  // namespace stagedoor::store
