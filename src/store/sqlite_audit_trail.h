// Reads and proves the audit log; nobody who writes waits for it.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <optional>

#include "rules/audit_trail.h"
#include "store/sqlite_readers.h"

namespace stagedoor::store {

// Safe for concurrent use.
class SqliteAuditTrail : public rules::AuditTrail {
 public:
  // So many entries are looked at for one page.
  static constexpr int looked_at_max = 20'000;

  explicit SqliteAuditTrail(SqliteReaders& readers) : readers_(readers) {}
  base::Result<rules::AuditPage> read(const rules::AuditQuery& query) const override;

  // Where the log ends, after the proof that it does.
  base::Result<rules::AuditCheckpoint> newest(const rules::AuditSealer& sealer) const;

  // Walks along the whole log, as it stands at one moment, in constant memory (rules::AuditWalk).
  // The newest entry, or `conflict` with a hint that names the first entry that is wrong.
  base::Result<rules::AuditCheckpoint> verify(
      const rules::AuditSealer& sealer, const rules::AuditCheckpoint& begin,
      const std::optional<rules::AuditCheckpoint>& expected) const;

 private:
  SqliteReaders& readers_;
};

}  // namespace stagedoor::store
