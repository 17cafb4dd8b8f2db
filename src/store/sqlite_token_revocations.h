// Revocations of session tokens in SQLite, answered from memory.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <atomic>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <shared_mutex>
#include <string>

#include "base/clock.h"
#include "rules/token_revocation.h"
#include "store/append_audit.h"
#include "store/sqlite_writer.h"

namespace stagedoor::store {

// Safe for concurrent use.
class SqliteTokenRevocations : public rules::TokenRevocations {
 public:
  // All of them together, some 200 bytes each, and those of one workspace: by token and end user.
  static constexpr std::size_t count_max = 500'000;
  static constexpr std::size_t of_workspace_max = 50'000;

  SqliteTokenRevocations(SqliteWriter& writer, AppendAudit append, const base::Clock& clock);

  bool is_revoked(const rules::RevocableToken& token) const override;
  base::Result<std::size_t> revoke(const rules::TokenRevocation& revocation,
                                   rules::AuditEntry entry) override;

  // Told of each revocation as soon as it is refused here, whoever made it; on the writer's thread.
  // Returns how many live sessions it asked to end. An empty one ends it.
  using OnRevoked = std::function<std::size_t(const rules::TokenRevocation&)>;
  void on_revoked(OnRevoked listener);

  std::size_t count() const { return count_.load(std::memory_order_relaxed); }

 private:
  struct Known {
    base::Instant minted_until, forget_at;
  };
  bool read(SqliteDatabase& database);
  void note(const rules::TokenRevocation& revocation);
  void forget_expired();
  bool has_room_for(const rules::TokenRevocation& revocation) const;
  base::Result<base::Done> insert(SqliteDatabase& database,
                                  const rules::TokenRevocation& revocation);
  void forget_rows(SqliteDatabase& database) const;

  SqliteWriter& writer_;
  const AppendAudit append_;
  const base::Clock& clock_;
  // Those that were made here and wait to be read, by their change. The writer's thread only.
  std::map<std::int64_t, std::shared_ptr<std::size_t>> made_here_;
  std::int64_t change_ = 0;        // the writer's thread only
  bool has_read_ = false;          // the same
  base::Instant next_forgetting_;  // the same
  mutable std::shared_mutex mutex_;
  boost::unordered_flat_map<std::string, Known> known_;
  boost::unordered_flat_map<std::string, std::size_t> of_workspace_;  // how many of known_
  std::atomic<std::size_t> count_ = 0;
  OnRevoked on_revoked_;
};

}  // namespace stagedoor::store
