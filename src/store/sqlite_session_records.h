// Reads the ledger of sessions; nobody who writes waits for it.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <string>

#include "rules/session_record.h"
#include "store/sqlite_readers.h"

namespace stagedoor::store {

// Safe for concurrent use.
class SqliteSessionRecords : public rules::SessionRecords {
 public:
  // So many sessions are looked at for one page.
  static constexpr int looked_at_max = 20'000;

  explicit SqliteSessionRecords(SqliteReaders& readers) : readers_(readers) {}
  base::Result<rules::SessionPage> list(const rules::SessionQuery& query) const override;
  base::Result<rules::SessionPage> numbered(const rules::SessionQuery& query,
                                            std::size_t skip) const override;
  base::Result<rules::SessionRecord> find(const rules::SessionQuery& query,
                                          const std::string& id) const override;

 private:
  SqliteReaders& readers_;
};

}  // namespace stagedoor::store
