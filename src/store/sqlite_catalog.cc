#include "store/sqlite_catalog.h"

namespace stagedoor::store {
namespace {

using Step = SqliteStatement::Step;

rules::App app_of(const SqliteStatement& row) {
  return {.id = std::string(row.text(0)),
          .workspace_id = std::string(row.text(1)),
          .name = std::string(row.text(2)),
          .limits = {.token_uses_max = static_cast<int>(row.integer(3)),
                     .length_max = std::chrono::seconds(row.integer(4)),
                     .idle_max = std::chrono::seconds(row.integer(5)),
                     .sessions_max = static_cast<int>(row.integer(6))}};
}

bool is_same(const rules::App& a, const rules::App& b) {
  return a.workspace_id == b.workspace_id && a.name == b.name && a.limits == b.limits;
}

}  // namespace

SqliteCatalog::SqliteCatalog(SqliteWriter& writer) : writer_(writer) {
  writer.on_change([this](SqliteDatabase& database) { return read(database); });
}

const rules::App* SqliteCatalog::app(std::string_view id) const {
  const std::shared_lock lock(mutex_);
  const auto found = apps_.find(id);
  return found == apps_.end() ? nullptr : found->second->load();
}

std::optional<rules::Avatar> SqliteCatalog::avatar(std::string_view id) const {
  const std::shared_lock lock(mutex_);
  const auto found = avatars_.find(id);
  if (found == avatars_.end()) return std::nullopt;
  return found->second;
}

std::vector<rules::App> SqliteCatalog::apps() const {
  const std::shared_lock lock(mutex_);
  std::vector<rules::App> apps;
  for (const auto& [id, place] : apps_)
    if (const auto* app = place->load()) apps.push_back(*app);
  return apps;
}

SqliteCatalog::AppPlace& SqliteCatalog::place_under_lock(std::string_view app_id) {
  auto found = apps_.find(app_id);
  if (found == apps_.end())
    found = apps_.emplace(app_id, std::make_unique<AppPlace>(nullptr)).first;
  return *found->second;
}

const SqliteCatalog::AppPlace& SqliteCatalog::place_of(std::string_view app_id) {
  const std::unique_lock lock(mutex_);
  return place_under_lock(app_id);
}

bool SqliteCatalog::read(SqliteDatabase& database) {
  auto apps = database.prepare(
      "SELECT id, workspace_id, name, token_uses_max, length_max_seconds, idle_max_seconds, "
      "sessions_max FROM apps");
  auto avatars = database.prepare("SELECT id, workspace_id, name, version FROM avatars");
  if (!apps || !avatars) return false;
  const std::unique_lock lock(mutex_);
  auto outcome = apps->step();
  for (; outcome == Step::row; outcome = apps->step()) {
    auto app = app_of(*apps);
    auto& place = place_under_lock(app.id);
    if (const auto* known = place.load(); known != nullptr && is_same(*known, app)) continue;
    place = all_apps_.emplace_back(std::make_unique<const rules::App>(std::move(app))).get();
  }
  if (outcome != Step::end) return false;
  for (outcome = avatars->step(); outcome == Step::row; outcome = avatars->step()) {
    rules::Avatar avatar{.id = std::string(avatars->text(0)),
                         .workspace_id = std::string(avatars->text(1)),
                         .name = std::string(avatars->text(2)),
                         .version = std::string(avatars->text(3))};
    avatars_.insert_or_assign(avatar.id, std::move(avatar));
  }
  return outcome == Step::end;
}

base::Result<base::Done> SqliteCatalog::create_workspace(const std::string& id,
                                                         const std::string& name,
                                                         base::Instant now) {
  return writer_.run([&](SqliteDatabase& database) -> base::Result<base::Done> {
    auto insert = database.prepare("INSERT INTO workspaces VALUES (?1, ?2, ?3)");
    if (!insert) return base::fail(insert.error());
    if (!insert->bind(1, id).bind(2, name).bind(3, base::unix_millis(now)).run())
      return database.trouble("create workspace");
    return base::Done{};
  });
}

base::Result<base::Done> SqliteCatalog::create_app(const rules::App& app, base::Instant now) {
  return writer_.run([&](SqliteDatabase& database) -> base::Result<base::Done> {
    auto insert = database.prepare("INSERT INTO apps VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)");
    if (!insert) return base::fail(insert.error());
    insert->bind(1, app.id).bind(2, app.workspace_id).bind(3, app.name);
    insert->bind(4, app.limits.token_uses_max).bind(5, app.limits.length_max.count());
    insert->bind(6, app.limits.idle_max.count()).bind(7, app.limits.sessions_max);
    if (!insert->bind(8, base::unix_millis(now)).run()) return database.trouble("create app");
    return base::Done{};
  });
}

base::Result<base::Done> SqliteCatalog::create_avatar(const rules::Avatar& avatar,
                                                      base::Instant now) {
  return writer_.run([&](SqliteDatabase& database) -> base::Result<base::Done> {
    auto insert = database.prepare("INSERT INTO avatars VALUES (?1, ?2, ?3, ?4, ?5)");
    if (!insert) return base::fail(insert.error());
    insert->bind(1, avatar.id).bind(2, avatar.workspace_id).bind(3, avatar.name);
    if (!insert->bind(4, avatar.version).bind(5, base::unix_millis(now)).run())
      return database.trouble("create avatar");
    return base::Done{};
  });
}

base::Result<base::Done> SqliteCatalog::create_persona(const rules::Persona& persona) {
  return writer_.run([&](SqliteDatabase& database) -> base::Result<base::Done> {
    auto insert = database.prepare(
        "INSERT INTO personas (id, workspace_id, environment, name, content, created_at, "
        "updated_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6)");
    if (!insert) return base::fail(insert.error());
    insert->bind(1, persona.id).bind(2, persona.workspace_id);
    insert->bind(3, static_cast<int>(persona.environment)).bind(4, persona.content.name());
    insert->bind(5, persona.content.json()).bind(6, base::unix_millis(persona.created_at));
    if (!insert->run()) return database.trouble("create persona");
    return base::Done{};
  });
}

base::Result<base::Done> SqliteCatalog::set_limits(const std::string& app_id,
                                                   const rules::AppLimits& limits,
                                                   const rules::AuditEntry& entry,
                                                   const AppendAudit& append) {
  return writer_.run([&](SqliteDatabase& database) -> base::Result<base::Done> {
    auto update = database.prepare(
        "UPDATE apps SET token_uses_max = ?2, length_max_seconds = ?3, idle_max_seconds = ?4, "
        "sessions_max = ?5 WHERE id = ?1");
    if (!update) return base::fail(update.error());
    update->bind(1, app_id).bind(2, limits.token_uses_max).bind(3, limits.length_max.count());
    if (!update->bind(4, limits.idle_max.count()).bind(5, limits.sessions_max).run())
      return database.trouble("set limits");
    if (database.changes() == 0) {
      return base::fail(base::ErrorCode::app_unknown, "limits for an unknown app",
                        "There is no app " + app_id + ".");
    }
    return append(database, entry);
  });
}

}  // namespace stagedoor::store
