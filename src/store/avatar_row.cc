#include "store/avatar_row.h"

#include "store/list_number.h"

namespace stagedoor::store {

base::Result<SqliteStatement> select_avatars(SqliteDatabase& database, const std::string& which) {
  return database.prepare(
      "SELECT id, workspace_id, name, version, character, created_at, "
      "coalesce(updated_at, created_at), app_id FROM avatars WHERE removed_at IS NULL " +
      which);
}

rules::Avatar avatar_of(const SqliteStatement& row) {
  const auto instant = [&](int column) {
    return base::Instant(std::chrono::milliseconds(row.integer(column)));
  };
  return {.id = std::string(row.text(0)),
          .workspace_id = std::string(row.text(1)),
          .name = std::string(row.text(2)),
          .version = std::string(row.text(3)),
          .character = std::string(row.text(4)),
          .created_at = instant(5),
          .updated_at = instant(6),
          .app_id = std::string(row.text(7))};
}

base::Result<base::Done> insert_avatar(SqliteDatabase& database, const rules::Avatar& avatar) {
  auto insert = database.prepare(
      "INSERT INTO avatars (id, workspace_id, name, version, character, created_at, updated_at, "
      "app_id, number) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, nullif(?8, ''), " +
      next_number("avatars", "workspace_id = ?2") + ")");
  if (!insert) return base::fail(insert.error());
  insert->bind(1, avatar.id).bind(2, avatar.workspace_id).bind(3, avatar.name);
  insert->bind(4, avatar.version).bind(5, avatar.character);
  insert->bind(6, base::unix_millis(avatar.created_at)).bind(8, avatar.app_id);
  if (!insert->bind(7, base::unix_millis(avatar.updated_at)).run())
    return database.trouble("create avatar");
  return base::Done{};
}

}  // namespace stagedoor::store
