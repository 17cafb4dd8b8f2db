// API keys found in memory by their keyed hash, as SQLite has them (sqlite_api_key_records.h).
//
// About 120 bytes of memory a key at the worst load of the table, as long as many keys have the
// same terms.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <array>
#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>
#include <cstring>
#include <functional>
#include <memory>
#include <shared_mutex>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "rules/api_key.h"
#include "store/sqlite_catalog.h"
#include "store/sqlite_writer.h"

namespace stagedoor::store {

// Safe for concurrent use.
class SqliteApiKeys : public rules::ApiKeyStore {
 public:
  // Made after the catalog, whose apps the keys belong to.
  SqliteApiKeys(SqliteWriter& writer, SqliteCatalog& catalog);

  std::optional<rules::KnownApiKey> find(const rules::ApiKeyHash& hash) const override;
  // Without a lock for each, so that the processor waits for several places of the table at a time.
  void find_many(std::span<const rules::ApiKeyHash> hashes,
                 std::span<std::optional<rules::KnownApiKey>> known) const override;
  std::optional<rules::KnownApiKey> look_up(const rules::ApiKeyHash& hash) const override;
  void rehash(std::uint64_t id, const rules::ApiKeyHash& from,
              const rules::ApiKeyHash& to) override;

  bool is_revoked(std::uint64_t id) const override;

  // Told of keys that have just been frozen or revoked, here or by another process; on the writer's
  // thread. An empty one ends it.
  using OnRevoked = std::function<void(std::span<const std::uint64_t> ids)>;
  void on_revoked(OnRevoked listener);

  std::size_t count() const;  // those that are neither frozen nor revoked

 private:
  // 32 bytes: there may be a million of them.
  struct Entry {
    std::uint64_t id;
    const SqliteCatalog::AppPlace* app;
    const rules::ApiKeyTerms* terms;
    std::uint32_t expires_at_seconds;  // no_expiry: never
    rules::Environment environment;
    rules::ApiKeyStanding standing;
  };
  static constexpr std::uint32_t no_expiry = 0xffff'ffff;
  // Finds the one object for all keys with the same terms. The writer's thread only.
  class AllTerms {
   public:
    // Null where the row says something that this program does not know.
    const rules::ApiKeyTerms* of(std::int64_t scopes, std::string_view networks,
                                 std::string_view tier, std::string_view own_limit);

   private:
    std::string last_key_, key_;
    const rules::ApiKeyTerms* last_ = nullptr;
    std::unordered_map<std::string, std::unique_ptr<const rules::ApiKeyTerms>> all_;
  };
  // The hashes are uniform already, and keyed, so nobody can choose colliding ones.
  struct FirstBytes {
    using is_avalanching = void;
    std::size_t operator()(const rules::ApiKeyHash& hash) const {
      std::size_t bytes;
      std::memcpy(&bytes, hash.data() + 8, sizeof bytes);
      return bytes;
    }
  };
  using Entries = boost::unordered_flat_map<rules::ApiKeyHash, Entry, FirstBytes>;
  static std::optional<rules::KnownApiKey> known_of(const Entry& entry);
  struct Shard {
    mutable std::shared_mutex mutex;
    Entries entries;
    // Frozen and revoked ones, apart: finding must take the same steps for them as for a key that
    // never was.
    Entries refused;
  };
  Shard& shard_of(const rules::ApiKeyHash& hash) { return shards_[hash[0] % shards_.size()]; }
  const Shard& shard_of(const rules::ApiKeyHash& hash) const {
    return shards_[hash[0] % shards_.size()];
  }
  bool read(SqliteDatabase& database);
  void make_room(SqliteDatabase& database);
  std::optional<Entry> entry_of(const SqliteStatement& row);
  // Brings what is known of these keys to what they now are, under every hash: one that another
  // process has moved to the current server secret may still stand here under its old hash.
  void change_standing(std::vector<Entry> changed);
  void overwrite(std::span<const Entry> by_id);

  SqliteWriter& writer_;
  SqliteCatalog& catalog_;
  AllTerms all_terms_;
  std::int64_t change_ = 0;  // the writer's thread only
  std::string last_app_;     // the writer's thread only
  const SqliteCatalog::AppPlace* last_place_ = nullptr;
  std::array<Shard, 32> shards_;
  mutable std::shared_mutex revoked_mutex_;
  boost::unordered_flat_set<std::uint64_t> revoked_;  // frozen ones too
  OnRevoked on_revoked_;
};

}  // namespace stagedoor::store
