// What was used, read from the counts of keys and the ledger of sessions; and the proof that the
// ledger and the audit log agree.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <functional>
#include <string>

#include "rules/usage.h"
#include "store/sqlite_readers.h"

namespace stagedoor::store {

// Safe for concurrent use.
class SqliteUsage : public rules::UsageReport {
 public:
  explicit SqliteUsage(SqliteReaders& readers) : readers_(readers) {}
  base::Result<rules::UsagePage> read(rules::UsageOf what,
                                      const rules::UsageQuery& query) const override;

  // Compares the ledger with the audit log as both stand at one moment. `tell` hears one sentence
  // for each thing that does not match.
  struct Agreement {
    std::int64_t sessions = 0;
    std::int64_t mismatches = 0;
  };
  base::Result<Agreement> reconcile(const std::function<void(const std::string&)>& tell) const;

 private:
  SqliteReaders& readers_;
};

}  // namespace stagedoor::store
