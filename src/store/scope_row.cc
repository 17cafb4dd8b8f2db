#include "store/scope_row.h"

namespace stagedoor::store {

// Rule item-of-app.
std::string in_scope(std::string_view table) {
  const std::string of(table);
  return of + "workspace_id = ?2 AND " + of + "environment = ?3 AND (?4 = '' OR " + of +
         "app_id IS NULL OR " + of + "app_id = ?4)";
}

SqliteStatement& bind_scope(SqliteStatement& statement, const rules::ItemScope& scope, int first) {
  return statement.bind(first, scope.workspace_id)
      .bind(first + 1, static_cast<int>(scope.environment))
      .bind(first + 2, scope.app_id);
}

base::Result<rules::TakenRoom> taken_room(SqliteDatabase& database, const std::string& sql,
                                          const rules::ItemScope& scope) {
  auto count = database.prepare(sql);
  if (!count) return base::fail(count.error());
  if (bind_scope(*count, scope).step() != SqliteStatement::Step::row)
    return database.trouble("count what is kept");
  return rules::TakenRoom{count->integer(0), count->integer(1)};
}

std::unexpected<base::Error> no_room(std::string_view what, std::int64_t whole) {
  return base::fail(base::ErrorCode::conflict, "no room for more " + std::string(what),
                    "A workspace keeps at most " + std::to_string(whole) + " " + std::string(what) +
                        ", and the keys of one app half of them; take one away first.");
}

rules::ItemScope scope_of(const SqliteStatement& row, int first) {
  return {.workspace_id = std::string(row.text(first)),
          .environment = static_cast<rules::Environment>(row.integer(first + 1)),
          .app_id = std::string(row.text(first + 2))};
}

}  // namespace stagedoor::store
