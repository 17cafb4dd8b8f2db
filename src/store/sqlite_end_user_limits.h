// Limits of single end users in SQLite, answered from memory.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "rules/end_user_limits.h"
#include "store/append_audit.h"
#include "store/sqlite_writer.h"

namespace stagedoor::store {

// Safe for concurrent use.
class SqliteEndUserLimits : public rules::EndUserLimitRecords {
 public:
  SqliteEndUserLimits(SqliteWriter& writer, AppendAudit append, const base::Clock& clock);

  std::optional<rules::RateLimit> limit_of(std::string_view app_id,
                                           std::string_view end_user_id) const override;
  std::vector<rules::EndUserLimit> list(std::string_view app_id, std::string_view after,
                                        std::size_t count_max) const override;
  base::Result<base::Done> change(const rules::EndUserLimitChange& change, const Allow& allow,
                                  const rules::AuditEntry& entry) override;

  std::size_t count() const { return count_.load(std::memory_order_relaxed); }

 private:
  using OfApp = std::map<std::string, rules::RateLimit, std::less<>>;
  bool read(SqliteDatabase& database);
  void note(std::string_view app_id, std::string_view end_user_id,
            const std::optional<rules::RateLimit>& limit);
  base::Result<base::Done> check_room(SqliteDatabase& database, const std::string& app_id) const;
  void forget_taken_away(SqliteDatabase& database) const;

  SqliteWriter& writer_;
  const AppendAudit append_;
  const base::Clock& clock_;
  std::int64_t change_ = 0;  // the writer's thread only
  mutable std::shared_mutex mutex_;
  std::map<std::string, OfApp, std::less<>> apps_;
  std::atomic<std::size_t> count_ = 0;
};

}  // namespace stagedoor::store
