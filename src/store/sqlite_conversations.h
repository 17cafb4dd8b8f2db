// Conversations in SQLite (rules/conversation.h).
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include "rules/conversation.h"
#include "store/sqlite_audit_log.h"
#include "store/sqlite_readers.h"
#include "store/sqlite_writer.h"

namespace stagedoor::store {

// Safe for concurrent use.
class SqliteConversations : public rules::Conversations {
 public:
  SqliteConversations(SqliteWriter& writer, SqliteReaders& readers, SqliteAuditLog& audit)
      : writer_(writer), readers_(readers), audit_(audit) {}

  base::Result<Whole> find(const rules::ConversationScope& scope, std::string_view id) override;
  base::Result<std::vector<rules::Conversation>> list(const rules::ConversationScope& scope,
                                                      std::string_view after,
                                                      std::int64_t count) override;
  base::Result<base::Done> create(const rules::Conversation& conversation,
                                  const rules::AuditEntry& entry) override;
  base::Result<rules::Conversation> end(const rules::ConversationScope& scope, std::string_view id,
                                        const rules::AuditEntry& entry) override;
  base::Result<base::Done> remove(const rules::ConversationScope& scope, std::string_view id,
                                  const rules::AuditEntry& entry) override;

 private:
  SqliteWriter& writer_;
  SqliteReaders& readers_;
  SqliteAuditLog& audit_;
};

}  // namespace stagedoor::store
