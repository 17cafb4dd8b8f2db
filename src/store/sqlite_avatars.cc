#include "store/sqlite_avatars.h"

#include <optional>
#include <string>
#include <utility>

#include "store/avatar_row.h"
#include "store/scope_row.h"

namespace stagedoor::store {
namespace {

using base::Done;
using base::ErrorCode;
using base::Result;
using Step = SqliteStatement::Step;

// Rule item-of-app; an avatar is of both environments. ?1 and ?2 are the scope's.
constexpr std::string_view in_both_environments =
    "workspace_id = ?1 AND (?2 = '' OR app_id IS NULL OR app_id = ?2)";

std::unexpected<base::Error> no_avatar() {
  return base::fail(ErrorCode::not_found, "no such avatar", "There is no avatar with this id.");
}

Result<Done> check_room(SqliteDatabase& database, const rules::Avatar& avatar) {
  const auto taken = taken_room(
      database, "SELECT count(*), ifnull(sum(app_id = ?4), 0) FROM avatars WHERE workspace_id = ?2",
      {.workspace_id = avatar.workspace_id, .environment = {}, .app_id = avatar.app_id});
  if (!taken) return base::fail(taken.error());
  if (rules::has_room(*taken, 1, rules::avatars_of_workspace_max)) return Done{};
  return no_room("avatars (those that were taken away softly count until they are for good)",
                 rules::avatars_of_workspace_max);
}

}  // namespace

Result<std::vector<rules::Avatar>> SqliteAvatars::of(const rules::ItemScope& scope) {
  std::vector<rules::Avatar> avatars;
  auto done = readers_.read([&](SqliteDatabase& database) -> Result<Done> {
    auto rows =
        select_avatars(database, "AND " + std::string(in_both_environments) + " ORDER BY number DESC");
    if (!rows) return base::fail(rows.error());
    rows->bind(1, scope.workspace_id).bind(2, scope.app_id);
    auto step = rows->step();
    for (; step == Step::row; step = rows->step()) avatars.push_back(avatar_of(*rows));
    if (step == Step::failed) return database.trouble("list avatars");
    return Done{};
  });
  if (!done) return base::fail(done.error());
  return avatars;
}

Result<Done> SqliteAvatars::create(const rules::Avatar& avatar, const rules::AuditEntry& entry) {
  return writer_.run([&](SqliteDatabase& database) -> Result<Done> {
    if (auto room = check_room(database, avatar); !room) return room;
    if (auto made = insert_avatar(database, avatar); !made) return made;
    return append_(database, entry);
  });
}

Result<rules::Avatar> SqliteAvatars::rename(const rules::ItemScope& scope, std::string_view id,
                                            std::string_view name, const rules::AuditEntry& entry) {
  std::optional<rules::Avatar> renamed;
  auto done = writer_.run([&](SqliteDatabase& database) -> Result<Done> {
    auto row = select_avatars(database, "AND id = ?3 AND " + std::string(in_both_environments));
    if (!row) return base::fail(row.error());
    const auto step = row->bind(1, scope.workspace_id).bind(2, scope.app_id).bind(3, id).step();
    if (step == Step::failed) return database.trouble("find avatar");
    if (step == Step::end) return no_avatar();
    renamed = avatar_of(*row);
    renamed->name = name;
    renamed->updated_at = entry.at;
    auto update = database.prepare("UPDATE avatars SET name = ?2, updated_at = ?3 WHERE id = ?1");
    if (!update) return base::fail(update.error());
    if (!update->bind(1, id).bind(2, name).bind(3, base::unix_millis(entry.at)).run())
      return database.trouble("rename avatar");
    return append_(database, entry);
  });
  if (!done) return base::fail(done.error());
  return *std::move(renamed);
}

Result<Done> SqliteAvatars::remove(const rules::ItemScope& scope, std::string_view id,
                                   Removal removal, const rules::AuditEntry& entry) {
  return writer_.run([&](SqliteDatabase& database) -> Result<Done> {
    const std::string which = " WHERE id = ?3 AND " + std::string(in_both_environments);
    auto remove =
        database.prepare(removal == Removal::for_good
                             ? "DELETE FROM avatars" + which + " AND ?4 > 0 RETURNING app_id"
                             : "UPDATE avatars SET removed_at = ?4" + which +
                                   " AND removed_at IS NULL RETURNING app_id");
    if (!remove) return base::fail(remove.error());
    remove->bind(1, scope.workspace_id).bind(2, scope.app_id).bind(3, id);
    const auto step = remove->bind(4, base::unix_millis(entry.at)).step();
    if (step == Step::failed) return database.trouble("remove avatar");
    if (step == Step::end) return no_avatar();
    auto noted = entry;
    if (const std::string app_id(remove->text(0)); !app_id.empty())
      noted.detail = entry.detail.empty() ? app_id : app_id + ", " + entry.detail;
    if (remove->step() != Step::end) return database.trouble("remove avatar");
    return append_(database, noted);
  });
}

}  // namespace stagedoor::store
