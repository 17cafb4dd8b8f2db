// Avatars of people in SQLite (rules/consumer_avatar.h).
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include "rules/consumer_avatar.h"
#include "store/sqlite_audit_log.h"
#include "store/sqlite_readers.h"
#include "store/sqlite_writer.h"

namespace stagedoor::store {

// Safe for concurrent use.
class SqliteConsumerAvatars : public rules::ConsumerAvatars {
 public:
  SqliteConsumerAvatars(SqliteWriter& writer, SqliteReaders& readers, SqliteAuditLog& audit)
      : writer_(writer), readers_(readers), audit_(audit) {}

  base::Result<std::vector<rules::ConsumerAvatar>> of(std::string_view owner) override;
  base::Result<base::Done> create(const rules::ConsumerAvatar& avatar,
                                  const rules::AuditEntry& entry) override;

 private:
  SqliteWriter& writer_;
  SqliteReaders& readers_;
  SqliteAuditLog& audit_;
};

}  // namespace stagedoor::store
