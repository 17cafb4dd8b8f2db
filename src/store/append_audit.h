// How a change gets its audit entry into the same transaction: inside a writer's job, and where it
// fails the job fails.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <functional>

#include "base/result.h"
#include "rules/audit.h"
#include "store/sqlite_database.h"

namespace stagedoor::store {

using AppendAudit =
    std::function<base::Result<base::Done>(SqliteDatabase& database, rules::AuditEntry)>;

}  // namespace stagedoor::store
