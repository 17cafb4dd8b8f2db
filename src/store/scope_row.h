// Whose a row is (rules/item_scope.h).
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <string>
#include <string_view>

#include "rules/item_scope.h"
#include "store/sqlite_database.h"

namespace stagedoor::store {

// Whether a row is found in the scope that bind_scope binds to ?2, ?3 and ?4. `table` is empty or
// ends with a dot.
std::string in_scope(std::string_view table = {});

// Workspace, environment and app at `first` and the two places behind it. The app may be empty:
// where a row is written, `nullif` makes it null.
SqliteStatement& bind_scope(SqliteStatement& statement, const rules::ItemScope& scope,
                            int first = 2);
// The three columns from `first` on.
rules::ItemScope scope_of(const SqliteStatement& row, int first);

}  // namespace stagedoor::store
