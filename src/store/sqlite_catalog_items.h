// What workspaces keep for their personas, in SQLite (rules/catalog_item.h).
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <string_view>

#include "rules/catalog_item.h"
#include "rules/kept_secret.h"
#include "store/passage_words.h"
#include "store/sqlite_audit_log.h"
#include "store/sqlite_readers.h"
#include "store/sqlite_writer.h"

namespace stagedoor::store {

// Safe for concurrent use.
class SqliteCatalogItems : public rules::CatalogItems {
 public:
  struct Parts {
    SqliteWriter& writer;
    SqliteReaders& readers;
    SqliteAuditLog& audit;
    const rules::SecretKeeper& keeper;
    PassageWords& words;  // of the documents of groups
  };
  explicit SqliteCatalogItems(const Parts& parts) : parts_(parts) {}

  base::Result<rules::CatalogItem> find(const rules::ItemScope& scope, rules::ItemKind kind,
                                        std::string_view id) override;
  base::Result<Found> list(const rules::ItemScope& scope, rules::ItemKind kind,
                           const Query& query) override;
  base::Result<base::Done> create(const rules::CatalogItem& item,
                                  const rules::AuditEntry& entry) override;
  base::Result<rules::CatalogItem> change(const rules::ItemScope& scope, rules::ItemKind kind,
                                          std::string_view id, const Change& change,
                                          const rules::AuditEntry& entry) override;
  base::Result<base::Done> remove(const rules::ItemScope& scope, rules::ItemKind kind,
                                  std::string_view id, const rules::AuditEntry& entry) override;

  // Seals anew what is not sealed under the newest key (rule kept-secret-survives-rotation).
  base::Result<base::Done> seal_anew();

 private:
  Parts parts_;
};

}  // namespace stagedoor::store
