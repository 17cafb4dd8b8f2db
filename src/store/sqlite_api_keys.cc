#include "store/sqlite_api_keys.h"

#include <algorithm>

#include "store/api_key_row.h"

namespace stagedoor::store {
namespace {

using rules::ApiKeyStanding;
using Step = SqliteStatement::Step;

}  // namespace

SqliteApiKeys::SqliteApiKeys(SqliteWriter& writer, SqliteCatalog& catalog)
    : writer_(writer), catalog_(catalog) {
  writer.on_change([this](SqliteDatabase& database) { return read(database); });
}

std::optional<rules::KnownApiKey> SqliteApiKeys::known_of(const Entry& entry) {
  const auto* app = entry.app->load(std::memory_order_acquire);
  if (app == nullptr) return std::nullopt;
  rules::KnownApiKey known{entry.id, entry.environment, app, entry.terms};
  if (entry.expires_at_seconds != no_expiry)
    known.expires_at = base::from_unix_seconds(entry.expires_at_seconds);
  known.standing = entry.standing;
  return known;
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
  return known_of(entry);
}

void SqliteApiKeys::find_many(std::span<const rules::ApiKeyHash> hashes,
                              std::span<std::optional<rules::KnownApiKey>> known) const {
  // For a few keys their own locks are fewer.
  if (hashes.size() < shards_.size()) {
    std::ranges::transform(hashes, known.begin(), [this](const auto& hash) { return find(hash); });
    return;
  }
  // Whoever changes the table holds one of these locks at a time and waits for no other with it.
  std::array<std::shared_lock<std::shared_mutex>, std::tuple_size_v<decltype(shards_)>> locks;
  for (std::size_t i = 0; i < shards_.size(); ++i) locks[i] = std::shared_lock(shards_[i].mutex);
  for (std::size_t i = 0; i < hashes.size(); ++i) {
    const auto& entries = shard_of(hashes[i]).entries;
    const auto found = entries.find(hashes[i]);
    known[i] = found == entries.end() ? std::nullopt : known_of(found->second);
  }
}

std::optional<rules::KnownApiKey> SqliteApiKeys::look_up(const rules::ApiKeyHash& hash) const {
  if (auto good = find(hash)) return good;
  Entry entry;
  {
    const auto& shard = shard_of(hash);
    const std::shared_lock lock(shard.mutex);
    const auto found = shard.refused.find(hash);
    if (found == shard.refused.end()) return std::nullopt;
    entry = found->second;
  }
  return known_of(entry);
}

const rules::ApiKeyTerms* SqliteApiKeys::AllTerms::of(std::int64_t scopes,
                                                      std::string_view networks,
                                                      std::string_view tier,
                                                      std::string_view own_limit) {
  key_.assign(std::to_string(scopes));
  for (const auto part : {networks, tier, own_limit}) key_.append(1, '\n').append(part);
  if (last_ != nullptr && key_ == last_key_) return last_;
  auto found = all_.find(key_);
  if (found == all_.end()) {
    auto terms = read_terms(scopes, networks, tier, own_limit);
    if (!terms) return nullptr;
    found = all_.emplace(key_, std::make_unique<const rules::ApiKeyTerms>(*std::move(terms))).first;
  }
  last_key_ = key_;
  return last_ = found->second.get();
}

void SqliteApiKeys::make_room(SqliteDatabase& database) {
  if (change_ != 0) return;
  auto count = database.prepare("SELECT count(*) FROM api_keys");
  if (!count || count->step() != Step::row) return;
  const auto each = static_cast<std::size_t>(count->integer(0)) / shards_.size();
  for (auto& shard : shards_) shard.entries.reserve(each + each / 64);
}

namespace {
constexpr std::string_view read_all =
    "SELECT id, app_id, environment, hash, scopes, networks, tier, own_limit, expires_at, "
    "frozen_at, revoked_at, replaced_by, change FROM api_keys";
}

std::optional<SqliteApiKeys::Entry> SqliteApiKeys::entry_of(const SqliteStatement& row) {
  if (const auto app = row.text(1); app != last_app_ || last_place_ == nullptr) {
    last_app_ = app;
    last_place_ = &catalog_.place_of(app);
  }
  const auto* terms = all_terms_.of(row.integer(4), row.text(5), row.text(6), row.text(7));
  if (terms == nullptr) return std::nullopt;
  Entry entry;
  entry.id = static_cast<std::uint64_t>(row.integer(0));
  entry.app = last_place_;
  entry.terms = terms;
  entry.environment = static_cast<rules::Environment>(row.integer(2));
  entry.expires_at_seconds = no_expiry;
  if (!row.is_null(8))
    entry.expires_at_seconds = static_cast<std::uint32_t>(
        std::clamp<std::int64_t>(row.integer(8) / 1000, 0, no_expiry - 1));
  entry.standing = !row.is_null(10)  ? ApiKeyStanding::revoked
                   : !row.is_null(9) ? ApiKeyStanding::frozen
                                     : ApiKeyStanding::good;
  return entry;
}

bool SqliteApiKeys::read(SqliteDatabase& database) {
  make_room(database);
  const bool is_first = change_ == 0;
  // At the start everything is new: then the table's own order is four times as fast as the index.
  auto changed =
      database.prepare(is_first ? std::string(read_all)
                                : std::string(read_all) + " WHERE change > ?1 ORDER BY change");
  if (!changed) return false;
  if (!is_first) changed->bind(1, change_);
  auto newest = change_;
  std::vector<Entry> others;  // frozen, revoked, unfrozen or replaced
  auto outcome = changed->step();
  for (; outcome == Step::row; outcome = changed->step()) {
    newest = std::max(newest, changed->integer(12));
    const auto bytes = changed->blob(3);
    rules::ApiKeyHash hash;
    if (bytes.size() != hash.size()) continue;
    std::ranges::copy(bytes, hash.begin());
    const auto entry = entry_of(*changed);
    if (!entry) continue;
    if (entry->standing != ApiKeyStanding::good || !changed->is_null(11) || is_revoked(entry->id))
      others.push_back(*entry);
    auto& shard = shard_of(hash);
    const std::unique_lock lock(shard.mutex);
    const bool is_good = entry->standing == ApiKeyStanding::good;
    (is_good ? shard.entries : shard.refused).insert_or_assign(hash, *entry);
    (is_good ? shard.refused : shard.entries).erase(hash);
  }
  // Only what was read to its end counts as read; reading a row again does no harm.
  if (outcome == Step::end) change_ = newest;
  if (is_first) {
    const std::unique_lock lock(revoked_mutex_);
    for (const auto& entry : others)
      if (entry.standing != ApiKeyStanding::good) revoked_.insert(entry.id);
  } else if (!others.empty()) {
    change_standing(std::move(others));
  }
  return outcome == Step::end;
}

void SqliteApiKeys::change_standing(std::vector<Entry> changed) {
  std::vector<std::uint64_t> refused;  // those that were good until this change
  {
    const std::unique_lock lock(revoked_mutex_);
    for (const auto& entry : changed) {
      if (entry.standing == ApiKeyStanding::good) {
        revoked_.erase(entry.id);
      } else if (revoked_.insert(entry.id).second) {
        refused.push_back(entry.id);
      }
    }
  }
  std::ranges::sort(changed, {}, &Entry::id);
  overwrite(changed);
  if (refused.empty()) return;
  std::ranges::sort(refused);
  const std::shared_lock lock(revoked_mutex_);
  if (on_revoked_) on_revoked_(refused);
}

void SqliteApiKeys::overwrite(std::span<const Entry> by_id) {
  for (auto& shard : shards_) {
    const std::unique_lock lock(shard.mutex);
    boost::unordered::erase_if(shard.entries, [&](auto& item) {
      const auto found = std::ranges::lower_bound(by_id, item.second.id, {}, &Entry::id);
      if (found == by_id.end() || found->id != item.second.id) return false;
      item.second = *found;
      return found->standing != ApiKeyStanding::good;
    });
  }
}

bool SqliteApiKeys::is_revoked(std::uint64_t id) const {
  const std::shared_lock lock(revoked_mutex_);
  return revoked_.contains(id);
}

void SqliteApiKeys::on_revoked(OnRevoked listener) {
  const std::unique_lock lock(revoked_mutex_);
  on_revoked_ = std::move(listener);
}

void SqliteApiKeys::rehash(std::uint64_t id, const rules::ApiKeyHash& from,
                           const rules::ApiKeyHash& to) {
  (void)writer_.submit(
      {.work = [id, from, to](SqliteDatabase& database) -> base::Result<base::Done> {
         auto update = database.prepare(
             "UPDATE api_keys SET hash = ?3, change = (SELECT max(change) + 1 FROM api_keys) "
             "WHERE id = ?1 AND hash = ?2");
         if (!update) return base::fail(update.error());
         update->bind(1, static_cast<std::int64_t>(id)).bind_blob(2, from).bind_blob(3, to);
         if (!update->run()) return database.trouble("renew a key's hash");
         return base::Done{};
       },
       .done =
           [this, from](const base::Result<base::Done>& kept) {
             if (!kept) return;
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
