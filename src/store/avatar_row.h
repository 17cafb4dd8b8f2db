// Avatars as rows of the database.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <string>

#include "base/result.h"
#include "rules/app.h"
#include "store/sqlite_database.h"

namespace stagedoor::store {

// The columns that avatar_of reads, of those that were not taken away; `which` is empty or begins
// with AND.
base::Result<SqliteStatement> select_avatars(SqliteDatabase& database, const std::string& which);
rules::Avatar avatar_of(const SqliteStatement& row);

base::Result<base::Done> insert_avatar(SqliteDatabase& database, const rules::Avatar& avatar);

}  // namespace stagedoor::store
