// Apps as rows of the database.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "rules/app.h"
#include "store/sqlite_database.h"

namespace stagedoor::store {

// The columns that app_of reads; `where` is empty or begins with WHERE.
base::Result<SqliteStatement> select_apps(SqliteDatabase& database, const std::string& where);
// nullopt for a row that we did not write.
std::optional<rules::App> app_of(const SqliteStatement& row);

base::Result<base::Done> insert_app(SqliteDatabase& database, const rules::App& app);
// All but its id, workspace and time of making.
base::Result<base::Done> update_app(SqliteDatabase& database, const rules::App& app);

}  // namespace stagedoor::store
