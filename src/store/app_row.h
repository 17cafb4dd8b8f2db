// Apps as rows of the database.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "rules/app.h"
#include "store/sqlite_database.h"

namespace stagedoor::store {

// The columns that app_of reads; `where` is empty or begins with WHERE.
base::Result<SqliteStatement> select_apps(SqliteDatabase& database, const std::string& where);
// nullopt for a row that we did not write.
std::optional<rules::App> app_of(const SqliteStatement& row);
// `not_found` where there is none with this id.
base::Result<rules::App> find_app(SqliteDatabase& database, std::string_view id);

base::Result<base::Done> insert_app(SqliteDatabase& database, const rules::App& app);
// All but its id, workspace and time of making.
base::Result<base::Done> update_app(SqliteDatabase& database, const rules::App& app);

// How an optional limit is kept: as its text, empty for none.
std::string limit_text(const std::optional<rules::RateLimit>& limit);
// False, and `limit` is left as it is, for what is none.
bool read_limit(std::string_view text, std::optional<rules::RateLimit>& limit);

}  // namespace stagedoor::store
