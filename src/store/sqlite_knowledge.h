// Documents and their passages in SQLite, found by FTS5 (rules/knowledge.h).
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "rules/knowledge.h"
#include "store/passage_words.h"
#include "store/sqlite_audit_log.h"
#include "store/sqlite_readers.h"
#include "store/sqlite_writer.h"

namespace stagedoor::store {

// Safe for concurrent use.
class SqliteKnowledge : public rules::Knowledge {
 public:
  SqliteKnowledge(SqliteWriter& writer, SqliteReaders& readers, SqliteAuditLog& audit,
                  PassageWords& words)
      : writer_(writer), readers_(readers), audit_(audit), words_(words) {}

  base::Result<std::vector<rules::Document>> list(const rules::ItemScope& scope,
                                                  std::string_view group_id) override;
  base::Result<std::int64_t> count(const rules::ItemScope& scope,
                                   std::string_view group_id) override;
  base::Result<rules::Document> find(const rules::ItemScope& scope, std::string_view id) override;
  base::Result<std::string> content(const rules::ItemScope& scope, std::string_view id) override;
  base::Result<std::vector<rules::Passage>> search(const rules::ItemScope& scope,
                                                   const Query& query) override;
  base::Result<base::Done> add(const rules::Document& document, std::string_view content,
                               const std::vector<std::string_view>& passages,
                               const rules::AuditEntry& entry) override;
  base::Result<rules::Document> rename(const rules::ItemScope& scope, std::string_view id,
                                       std::string_view filename,
                                       const rules::AuditEntry& entry) override;
  base::Result<base::Done> remove(const rules::ItemScope& scope, std::string_view id,
                                  const rules::AuditEntry& entry) override;

 private:
  SqliteWriter& writer_;
  SqliteReaders& readers_;
  SqliteAuditLog& audit_;
  PassageWords& words_;
};

}  // namespace stagedoor::store
