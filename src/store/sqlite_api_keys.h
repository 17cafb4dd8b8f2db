// API keys in SQLite; those that are good are found in memory by their keyed hash.
//
// About 120 bytes of memory a key at the worst load of the table.
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
  base::Result<base::Done> create(const rules::ApiKey& key, const rules::ApiKeyHash& hash) override;
  base::Result<rules::ApiKey> revoke(std::uint64_t id, base::Instant now,
                                     std::string reason) override;
  base::Result<std::vector<rules::ApiKey>> list(std::string_view app_id) const override;
  void rehash(std::uint64_t id, const rules::ApiKeyHash& from,
              const rules::ApiKeyHash& to) override;

  bool is_revoked(std::uint64_t id) const override;

  // Told of keys that have just been revoked, here or by another process; on the writer's thread.
  // An empty one ends it.
  using OnRevoked = std::function<void(std::span<const std::uint64_t> ids)>;
  void on_revoked(OnRevoked listener);

  std::size_t count() const;  // those that are good

 private:
  struct Entry {
    std::uint64_t id;
    const SqliteCatalog::AppPlace* app;
    const rules::ApiKeyTerms* terms;
    rules::Environment environment;
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
  struct Shard {
    mutable std::shared_mutex mutex;
    boost::unordered_flat_map<rules::ApiKeyHash, Entry, FirstBytes> entries;
  };
  Shard& shard_of(const rules::ApiKeyHash& hash) { return shards_[hash[0] % shards_.size()]; }
  const Shard& shard_of(const rules::ApiKeyHash& hash) const {
    return shards_[hash[0] % shards_.size()];
  }
  bool read(SqliteDatabase& database);
  // Under every hash: one that another process has moved to the current server secret may still
  // stand here under its old hash. `ids` are sorted.
  void forget(std::span<const std::uint64_t> ids);
  void note_revoked(std::vector<std::uint64_t> ids, bool at_start);
  void make_room(SqliteDatabase& database);

  const rules::ApiKeyTerms* shared(rules::ApiKeyTerms terms);

  SqliteWriter& writer_;
  SqliteCatalog& catalog_;
  // One object for all keys with the same terms; only grows. The writer's thread only.
  std::vector<std::unique_ptr<const rules::ApiKeyTerms>> all_terms_;
  std::int64_t change_ = 0;  // the writer's thread only
  std::array<Shard, 32> shards_;
  mutable std::shared_mutex revoked_mutex_;
  boost::unordered_flat_set<std::uint64_t> revoked_;
  OnRevoked on_revoked_;
};

}  // namespace stagedoor::store
