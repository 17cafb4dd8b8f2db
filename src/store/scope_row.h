// Whose a row is (rules/item_scope.h).
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <expected>
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
// Rule item-room-of-app. `sql` counts, under ?2, ?3 and ?4 as bind_scope binds them, all that the
// scope counts together, and in its second column the app's own.
base::Result<rules::TakenRoom> taken_room(SqliteDatabase& database, const std::string& sql,
                                          const rules::ItemScope& scope);
// `what`: "personas", and more where it needs to be said.
std::unexpected<base::Error> no_room(std::string_view what, std::int64_t whole);

// The three columns from `first` on.
rules::ItemScope scope_of(const SqliteStatement& row, int first);

}  // namespace stagedoor::store
