// Accounts and log-ins in SQLite.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <optional>
#include <string>

#include "rules/account.h"
#include "store/known_people.h"
#include "store/sqlite_audit_log.h"
#include "store/sqlite_readers.h"
#include "store/sqlite_writer.h"

namespace stagedoor::store {

// Safe for concurrent use.
class SqliteAccounts : public rules::AccountStore {
 public:
  // Made before the writer starts: keeps `people` up with the writer's changes and those of other
  // processes.
  SqliteAccounts(SqliteWriter& writer, SqliteReaders& readers, SqliteAuditLog& audit,
                 KnownPeople& people);

  base::Result<std::optional<rules::Membership>> create(const rules::Account& account,
                                                        const rules::Entrance& entrance,
                                                        rules::AuditEntry entry) override;
  base::Result<std::optional<rules::Account>> local_account(const std::string& email_key) override;
  base::Result<std::optional<rules::Account>> account(const std::string& id) override;
  base::Result<base::Done> begin_log_in(const rules::RefreshToken& token, std::int64_t generation,
                                        rules::AuditEntry entry) override;
  base::Result<rules::Account> refresh(const crypto::Digest& shown, rules::RefreshToken next,
                                       rules::AuditEntry entry) override;
  base::Result<base::Done> end_log_in(const crypto::Digest& shown,
                                      rules::AuditEntry entry) override;
  base::Result<std::int64_t> end_all_log_ins(const std::string& account_id,
                                             rules::AuditEntry entry) override;
  base::Result<std::int64_t> change_password(const std::string& account_id,
                                             const std::string& old_hash,
                                             const std::string& new_hash,
                                             const rules::RefreshToken& log_in,
                                             rules::AuditEntry entry) override;
  void rehash(const std::string& account_id, const std::string& old_hash,
              const std::string& new_hash) override;

 private:
  SqliteWriter& writer_;
  SqliteReaders& readers_;
  SqliteAuditLog& audit_;
};

}  // namespace stagedoor::store
