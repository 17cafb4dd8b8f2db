// Avatars in SQLite: making and changing them (rules/avatar_records.h). Minting and playing read
// them from the catalog.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <string_view>
#include <vector>

#include "rules/avatar_records.h"
#include "store/append_audit.h"
#include "store/sqlite_readers.h"
#include "store/sqlite_writer.h"

namespace stagedoor::store {

// Safe for concurrent use.
class SqliteAvatars : public rules::AvatarRecords {
 public:
  SqliteAvatars(SqliteWriter& writer, SqliteReaders& readers, AppendAudit append)
      : writer_(writer), readers_(readers), append_(std::move(append)) {}

  base::Result<std::vector<rules::Avatar>> of(const rules::ItemScope& scope) override;
  base::Result<base::Done> create(const rules::Avatar& avatar,
                                  const rules::AuditEntry& entry) override;
  base::Result<rules::Avatar> rename(const rules::ItemScope& scope, std::string_view id,
                                     std::string_view name,
                                     const rules::AuditEntry& entry) override;
  base::Result<base::Done> remove(const rules::ItemScope& scope, std::string_view id,
                                  Removal removal, const rules::AuditEntry& entry) override;

 private:
  SqliteWriter& writer_;
  SqliteReaders& readers_;
  const AppendAudit append_;
};

}  // namespace stagedoor::store
