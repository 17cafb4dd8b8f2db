#include "store/app_row.h"

namespace stagedoor::store {
namespace {

// ?1 the id, ?2 and on the rest.
void bind_app(SqliteStatement& statement, const rules::App& app) {
  const auto& limits = app.limits;
  statement.bind(1, app.id).bind(2, app.name).bind(3, limits.token_uses_max);
  statement.bind(4, limits.length_max.count()).bind(5, limits.idle_max.count());
  statement.bind(6, limits.sessions_max).bind(7, limit_text(limits.rate_limit));
  statement.bind(8, limit_text(limits.end_user_limit));
  if (limits.monthly_minutes) {
    statement.bind(9, *limits.monthly_minutes);
  } else {
    statement.bind_null(9);
  }
}

}  // namespace

bool read_limit(std::string_view text, std::optional<rules::RateLimit>& limit) {
  std::optional<rules::RateLimit> kept;
  if (!text.empty()) {
    const auto read = rules::read_rate_limit(text);
    if (!read) return false;
    kept = *read;
  }
  limit = kept;
  return true;
}

std::string limit_text(const std::optional<rules::RateLimit>& limit) {
  return limit ? rules::text_of(*limit) : std::string();
}

base::Result<SqliteStatement> select_apps(SqliteDatabase& database, const std::string& where) {
  return database.prepare(
      "SELECT id, workspace_id, name, created_at, token_uses_max, length_max_seconds, "
      "idle_max_seconds, sessions_max, rate_limit, end_user_limit, monthly_minutes FROM apps " +
      where);
}

std::optional<rules::App> app_of(const SqliteStatement& row) {
  rules::App app;
  app.id = row.text(0);
  app.workspace_id = row.text(1);
  app.name = row.text(2);
  app.created_at = base::Instant(std::chrono::milliseconds(row.integer(3)));
  auto& limits = app.limits;
  limits.token_uses_max = static_cast<int>(row.integer(4));
  limits.length_max = std::chrono::seconds(row.integer(5));
  limits.idle_max = std::chrono::seconds(row.integer(6));
  limits.sessions_max = static_cast<int>(row.integer(7));
  if (!read_limit(row.text(8), limits.rate_limit)) return std::nullopt;
  if (!read_limit(row.text(9), limits.end_user_limit)) return std::nullopt;
  if (!row.is_null(10)) limits.monthly_minutes = row.integer(10);
  return app;
}

base::Result<rules::App> find_app(SqliteDatabase& database, std::string_view id) {
  auto select = select_apps(database, "WHERE id = ?1");
  if (!select) return base::fail(select.error());
  const auto outcome = select->bind(1, id).step();
  if (outcome == SqliteStatement::Step::end)
    return base::fail(base::ErrorCode::not_found, "no such app", "There is no app with this id.");
  auto app = outcome == SqliteStatement::Step::row ? app_of(*select) : std::nullopt;
  if (!app) return database.trouble("read an app");
  return *std::move(app);
}

base::Result<base::Done> insert_app(SqliteDatabase& database, const rules::App& app) {
  auto insert = database.prepare(
      "INSERT INTO apps (id, name, token_uses_max, length_max_seconds, idle_max_seconds, "
      "sessions_max, rate_limit, end_user_limit, monthly_minutes, workspace_id, created_at) "
      "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)");
  if (!insert) return base::fail(insert.error());
  bind_app(*insert, app);
  insert->bind(10, app.workspace_id).bind(11, base::unix_millis(app.created_at));
  if (!insert->run()) return database.trouble("create app");
  return base::Done{};
}

base::Result<base::Done> update_app(SqliteDatabase& database, const rules::App& app) {
  auto update = database.prepare(
      "UPDATE apps SET name = ?2, token_uses_max = ?3, length_max_seconds = ?4, "
      "idle_max_seconds = ?5, sessions_max = ?6, rate_limit = ?7, end_user_limit = ?8, "
      "monthly_minutes = ?9 WHERE id = ?1");
  if (!update) return base::fail(update.error());
  bind_app(*update, app);
  if (!update->run()) return database.trouble("change app");
  return base::Done{};
}

}  // namespace stagedoor::store
