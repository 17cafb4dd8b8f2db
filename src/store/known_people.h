// Accounts and members in memory: what admitting a person's call needs, and no more.
//
// About 150 bytes an account. Only accounts that are kept are here; who comes from an identity
// provider and belongs nowhere takes no memory.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <shared_mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "rules/identity.h"
#include "store/sqlite_database.h"

namespace stagedoor::store {

// Safe for concurrent use.
class KnownPeople : public rules::Members {
 public:
  // `issuer` is that of our own tokens, whose subject is the account's id.
  explicit KnownPeople(std::string issuer) : issuer_(std::move(issuer)) {}

  base::Result<rules::Member> member_of(const rules::Identity& identity,
                                        std::string_view workspace_id) const override;
  std::optional<rules::Role> role_of(const std::string& account_id,
                                     std::string_view workspace_id) const override;

  // Reads what has changed; on the writer's thread. False: it could not.
  bool read(SqliteDatabase& database);

 private:
  struct Place {
    std::string workspace_id;
    rules::Role role;
    std::int64_t since;
  };
  struct Person {
    std::int64_t generation = 0;
    std::vector<Place> places;  // the oldest first
  };
  bool read_accounts(SqliteDatabase& database);
  bool read_members(SqliteDatabase& database);

  const std::string issuer_;
  mutable std::shared_mutex mutex_;
  std::unordered_map<std::string, Person> people_;
  std::int64_t account_change_ = 0, member_change_ = 0;  // the writer's thread only
};

}  // namespace stagedoor::store
