// Personas and their snapshots in SQLite (rules/persona.h).
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstddef>
#include <cstring>
#include <shared_mutex>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "rules/kept_secret.h"
#include "rules/persona.h"
#include "store/sqlite_audit_log.h"
#include "store/sqlite_readers.h"
#include "store/sqlite_writer.h"

namespace stagedoor::store {

// Inside a writer's job, without an entry.
base::Result<base::Done> insert_persona(SqliteDatabase& database, const rules::Persona& persona);

// Safe for concurrent use.
class SqlitePersonas : public rules::Personas {
 public:
  SqlitePersonas(SqliteWriter& writer, SqliteReaders& readers, SqliteAuditLog& audit,
                 const base::Clock& clock)
      : writer_(writer), readers_(readers), audit_(audit), clock_(clock) {}

  base::Result<rules::Persona> find(const rules::PersonaScope& scope, std::string_view id) override;
  base::Result<Found> list(const rules::PersonaScope& scope, const Query& query) override;
  base::Result<base::Done> create(const rules::Persona& persona,
                                  const rules::AuditEntry& entry) override;
  base::Result<rules::Persona> change(const rules::PersonaScope& scope, std::string_view id,
                                      const Change& change,
                                      const rules::AuditEntry& entry) override;
  base::Result<base::Done> remove(const rules::PersonaScope& scope, std::string_view id,
                                  const rules::AuditEntry& entry) override;

 private:
  SqliteWriter& writer_;
  SqliteReaders& readers_;
  SqliteAuditLog& audit_;
  const base::Clock& clock_;
};

// Safe for concurrent use.
class SqlitePersonaSnapshots : public rules::PersonaSnapshots {
 public:
  // The newest so many addresses are known without asking the disk.
  static constexpr std::size_t known_max = 65'536;

  SqlitePersonaSnapshots(SqliteWriter& writer, SqliteReaders& readers,
                         const rules::SecretKeeper& keeper)
      : writer_(writer), readers_(readers), keeper_(keeper) {}

  bool is_known(const crypto::Digest& digest, base::Instant now) const override;
  base::Result<base::Done> keep(const rules::PersonaSnapshot& snapshot, base::Instant now) override;
  base::Result<std::string> find(const crypto::Digest& digest) override;

  // Forgets some of those that no token can name any more. Does not wait; called now and then.
  void forget(base::Instant now);

 private:
  struct Hash {
    std::size_t operator()(const crypto::Digest& digest) const {
      std::size_t hash;  // any part of a digest is as good as a hash of it
      std::memcpy(&hash, digest.data(), sizeof hash);
      return hash;
    }
  };
  void remember(const crypto::Digest& digest, base::Instant minted_at);
  base::Result<base::Instant> minted_at(const crypto::Digest& digest);

  SqliteWriter& writer_;
  SqliteReaders& readers_;
  const rules::SecretKeeper& keeper_;
  mutable std::shared_mutex mutex_;
  std::unordered_map<crypto::Digest, base::Instant, Hash>
      known_;                          // and when it was noted as minted
  std::vector<crypto::Digest> order_;  // a ring; the next one to forget is at `next_`
  std::size_t next_ = 0;
};

}  // namespace stagedoor::store
