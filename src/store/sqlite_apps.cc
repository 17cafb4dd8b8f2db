#include "store/sqlite_apps.h"

#include <optional>
#include <string>
#include <utility>

#include "store/app_row.h"

namespace stagedoor::store {
namespace {

using Step = SqliteStatement::Step;
using base::ErrorCode;

base::Result<std::size_t> count_of(SqliteDatabase& database, const std::string& workspace_id) {
  auto count = database.prepare("SELECT count(*) FROM apps WHERE workspace_id = ?1");
  if (!count) return base::fail(count.error());
  if (count->bind(1, workspace_id).step() != Step::row) return database.trouble("count apps");
  return static_cast<std::size_t>(count->integer(0));
}

}  // namespace

std::vector<rules::App> SqliteApps::list(std::string_view workspace_id, std::string_view after,
                                         std::size_t count_max) const {
  return catalog_.apps_of(workspace_id, after, count_max);
}

base::Result<base::Done> SqliteApps::create(const rules::App& app, const rules::AuditEntry& entry) {
  return writer_.run([&](SqliteDatabase& database) -> base::Result<base::Done> {
    const auto there = count_of(database, app.workspace_id);
    if (!there) return base::fail(there.error());
    if (*there >= rules::apps_of_workspace_max) {
      return base::fail(ErrorCode::conflict, "a workspace full of apps",
                        "A workspace has at most 1000 apps, and this one has them.");
    }
    if (auto made = insert_app(database, app); !made) return made;
    return append_(database, entry);
  });
}

base::Result<rules::App> SqliteApps::change(std::string_view id, const Change& change,
                                            const rules::AuditEntry& entry) {
  std::optional<rules::App> after;
  const auto done = writer_.run([&](SqliteDatabase& database) -> base::Result<base::Done> {
    const auto before = find_app(database, id);
    if (!before) return base::fail(before.error());
    auto wanted = change(*before);
    if (!wanted) return base::fail(wanted.error());
    if (auto updated = update_app(database, *wanted); !updated) return updated;
    after = *std::move(wanted);
    return append_(database, entry);
  });
  if (!done) return base::fail(done.error());
  return *std::move(after);
}

}  // namespace stagedoor::store
