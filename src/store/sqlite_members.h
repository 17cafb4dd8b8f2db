// Members and invitations in SQLite.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <optional>
#include <string>
#include <vector>

#include "rules/account.h"
#include "rules/member.h"
#include "store/sqlite_audit_log.h"
#include "store/sqlite_readers.h"
#include "store/sqlite_writer.h"

namespace stagedoor::store {

// Safe for concurrent use.
class SqliteMembers : public rules::MemberStore {
 public:
  SqliteMembers(SqliteWriter& writer, SqliteReaders& readers, SqliteAuditLog& audit)
      : writer_(writer), readers_(readers), audit_(audit) {}

  base::Result<base::Done> invite(const rules::Invitation& invitation, const crypto::Digest& hash,
                                  const rules::MemberActor& by, rules::AuditEntry entry) override;
  base::Result<std::vector<rules::Invitation>> invitations(const std::string& workspace_id,
                                                           base::Instant now) override;
  base::Result<base::Done> withdraw_invitation(const std::string& workspace_id,
                                               const std::string& id,
                                               rules::AuditEntry entry) override;
  base::Result<rules::Membership> accept_invitation(const std::optional<crypto::Digest>& hash,
                                                    const rules::Account& account,
                                                    rules::AuditEntry entry) override;
  base::Result<std::vector<rules::MemberRecord>> members(const std::string& workspace_id) override;
  base::Result<std::vector<rules::Membership>> memberships(const std::string& account_id) override;
  base::Result<base::Done> change_member(const std::string& workspace_id,
                                         const std::string& account_id,
                                         std::optional<rules::Role> to,
                                         const rules::MemberActor& by,
                                         rules::AuditEntry entry) override;

  // The three inside a writer's job. The invitation that the account may accept, or `not_found`.
  static base::Result<rules::Invitation> open_invitation(SqliteDatabase& database,
                                                         const std::optional<crypto::Digest>& hash,
                                                         const rules::Account& account,
                                                         base::Instant now);
  // Spends it, and makes the account, which is kept already, a member.
  static base::Result<rules::Membership> join_by(SqliteDatabase& database,
                                                 const rules::Invitation& invitation,
                                                 const std::string& account_id, base::Instant now);
  // `conflict` for one who is a member already, or too many.
  static base::Result<base::Done> join(SqliteDatabase& database, const std::string& workspace_id,
                                       const std::string& account_id, rules::Role role,
                                       base::Instant now);

 private:
  SqliteWriter& writer_;
  SqliteReaders& readers_;
  SqliteAuditLog& audit_;
};

}  // namespace stagedoor::store
