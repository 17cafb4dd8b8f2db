// Share links in SQLite (rules/share_link.h).
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <string_view>

#include "base/clock.h"
#include "rules/kept_secret.h"
#include "rules/share_link.h"
#include "store/sqlite_audit_log.h"
#include "store/sqlite_readers.h"
#include "store/sqlite_writer.h"

namespace stagedoor::store {

// Inside a writer's job that takes a persona away, and its links with it: ends what they opened
// until `now`, which is read there (rule share-link-ends-what-it-opened).
base::Result<base::Done> end_what_links_opened(SqliteDatabase& database,
                                               std::string_view persona_id, base::Instant now);

// Safe for concurrent use.
class SqliteShareLinks : public rules::ShareLinks {
 public:
  struct Parts {
    SqliteWriter& writer;
    SqliteReaders& readers;
    SqliteAuditLog& audit;
    const rules::SecretKeeper& keeper;
    const rules::ShareTokenHasher& hasher;
    const base::Clock& clock;
  };
  explicit SqliteShareLinks(const Parts& parts) : parts_(parts) {}

  base::Result<rules::ShareLink> find(const rules::ItemScope& scope, std::string_view id) override;
  base::Result<rules::ShareLink> find_by_token(const base::Secret& token) override;
  base::Result<Found> list(const rules::ItemScope& scope, const Query& query) override;
  base::Result<base::Done> create(rules::ShareLink& link, const rules::AuditEntry& entry) override;
  base::Result<rules::ShareLink> change(const rules::ItemScope& scope, std::string_view id,
                                        const Change& change,
                                        const rules::AuditEntry& entry) override;
  base::Result<base::Done> remove(const rules::ItemScope& scope, std::string_view id,
                                  const rules::AuditEntry& entry) override;
  base::Result<base::Done> use(std::string_view id, const rules::AuditEntry& entry) override;

  // Seals and hashes anew what is not under the newest keys (rule kept-secret-survives-rotation).
  base::Result<base::Done> seal_anew();

 private:
  Parts parts_;
};

}  // namespace stagedoor::store
