// The records of API keys in SQLite. What changes here is noticed by SqliteApiKeys before a call
// returns, and by other processes within 100 ms.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <functional>

#include "rules/api_key_records.h"
#include "store/sqlite_audit_log.h"
#include "store/sqlite_readers.h"
#include "store/sqlite_writer.h"

namespace stagedoor::store {

// Safe for concurrent use.
class SqliteApiKeyRecords : public rules::ApiKeyRecords {
 public:
  SqliteApiKeyRecords(SqliteWriter& writer, SqliteReaders& readers, SqliteAuditLog& audit);

  base::Result<base::Done> create(const rules::ApiKeyMaker& maker,
                                  std::vector<rules::NewApiKey> made) override;
  base::Result<base::Done> record(const rules::ApiKeyMaker& maker,
                                  rules::AuditEntry entry) override;
  base::Result<rules::ApiKey> read(std::uint64_t id) const override;
  base::Result<rules::ApiKeyPage> list(const rules::ApiKeyQuery& query) const override;
  base::Result<rules::BlastRadius> blast_radius(const rules::ApiKey& key) const override;
  base::Result<rules::ApiKey> freeze(std::uint64_t id, base::Instant now, std::string reason,
                                     rules::AuditEntry entry) override;
  base::Result<rules::ApiKey> freeze_for_report(std::uint64_t id, const crypto::Digest& report,
                                                base::Instant now, std::string reason,
                                                rules::AuditEntry entry) override;
  base::Result<rules::ApiKey> unfreeze(const rules::ApiKeyMaker& maker, std::uint64_t id,
                                       rules::AuditEntry entry) override;
  base::Result<rules::ApiKey> revoke(std::uint64_t id, base::Instant now, std::string reason,
                                     rules::AuditEntry entry) override;
  base::Result<rules::ApiKey> rotate(const rules::ApiKeyMaker& maker, std::uint64_t id,
                                     const rules::Retirement& retirement,
                                     rules::NewApiKey successor) override;
  base::Result<Rotated> rotate_all(const rules::ApiKeyMaker& maker, const std::string& app_id,
                                   rules::Environment environment,
                                   const rules::Retirement& retirement, const MakeSuccessor& make,
                                   rules::AuditEntry entry) override;

 private:
  using Change = std::function<base::Result<base::Done>(SqliteDatabase&, rules::ApiKey&)>;
  // Reads the key, changes it, adds the entry, reads it again: one transaction.
  base::Result<rules::ApiKey> change(std::uint64_t id, const rules::AuditEntry& entry,
                                     const Change& change);
  base::Result<base::Done> add(SqliteDatabase& database, const rules::NewApiKey& made) const;
  // `entry` is that of the rotation of all.
  base::Result<base::Done> retire_frozen(SqliteDatabase& database, const rules::ApiKey& key,
                                         const rules::Retirement& retirement,
                                         rules::AuditEntry entry) const;

  SqliteWriter& writer_;
  SqliteReaders& readers_;
  SqliteAuditLog& audit_;
};

}  // namespace stagedoor::store
