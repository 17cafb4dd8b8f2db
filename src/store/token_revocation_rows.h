// Rows of revocations, inside a writer's job: what ends tokens together with the change that ends
// who minted them.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "rules/token_revocation.h"
#include "store/sqlite_database.h"

namespace stagedoor::store {

// Adds the revocation, or lets one that is there reach further; its row's change.
base::Result<std::int64_t> insert_revocation(SqliteDatabase& database,
                                             const rules::TokenRevocation& revocation);

// Rule session-token-ends-with-its-minter in rules/role.h. All that a person minted until then in a
// workspace, for whichever app and environment.
base::Result<base::Done> revoke_minted_by(SqliteDatabase& database, const std::string& workspace_id,
                                          const std::string& account_id,
                                          base::Instant minted_until);
// The same in every workspace that the person is a member of.
base::Result<base::Done> revoke_minted_everywhere_by(SqliteDatabase& database,
                                                     const std::string& account_id,
                                                     base::Instant minted_until);

}  // namespace stagedoor::store
