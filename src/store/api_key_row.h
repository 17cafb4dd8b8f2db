// An API key as a row of the table api_keys, and back.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "rules/api_key.h"
#include "store/sqlite_database.h"

namespace stagedoor::store {

inline base::Instant instant_of(std::int64_t unix_millis) {
  return base::Instant(std::chrono::milliseconds(unix_millis));
}

// nullopt where a column says something that this program does not know: then the key is not used.
std::optional<rules::ApiKeyTerms> read_terms(std::int64_t scopes, std::string_view networks,
                                             std::string_view tier, std::string_view own_limit);

// The columns that `api_key_of` reads, in its order.
inline constexpr std::string_view api_key_columns =
    "id, app_id, environment, name, ends, created_at, revoked_at, revoked_reason, scopes, "
    "networks, tier, own_limit, expires_at, created_by, frozen_at, frozen_reason, replaced_by, "
    "hash_kind";
// Terms that can't be read are shown as those of a key that may do nothing.
rules::ApiKey api_key_of(const SqliteStatement& row);

// Adds the row; within a transaction. `unavailable` with SQLite's words.
base::Result<base::Done> insert_api_key(SqliteDatabase& database, const rules::ApiKey& key,
                                        const rules::ApiKeyHash& hash);

}  // namespace stagedoor::store
