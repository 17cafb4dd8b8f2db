// Rows of accounts, inside a writer's job: what the stores of accounts and of members share.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "rules/account.h"
#include "store/sqlite_database.h"

namespace stagedoor::store {

inline base::Instant instant_of(std::int64_t millis) {
  return base::Instant(std::chrono::milliseconds(millis));
}

// False, and nothing changed, where its id or its e-mail is there already.
base::Result<bool> insert_account(SqliteDatabase& database, const rules::Account& account);

base::Result<std::string> workspace_name(SqliteDatabase& database, const std::string& id);

// The oldest membership's, for the audit log; empty where there is none.
std::string first_workspace_of(SqliteDatabase& database, const std::string& account_id);

}  // namespace stagedoor::store
