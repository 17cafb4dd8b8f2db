#include "store/sqlite_catalog.h"

#include "store/app_row.h"
#include "store/avatar_row.h"
#include "store/sqlite_personas.h"

namespace stagedoor::store {
namespace {

using Step = SqliteStatement::Step;

// Longer than any call takes.
constexpr std::chrono::hours kept_for_calls{1};

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

std::vector<rules::App> SqliteCatalog::apps_of(std::string_view workspace_id,
                                               std::string_view after,
                                               std::size_t count_max) const {
  const std::shared_lock lock(mutex_);
  std::vector<rules::App> apps;
  for (auto next = present_.upper_bound(after); next != present_.end(); ++next) {
    if (apps.size() == count_max) break;
    if (next->second->workspace_id == workspace_id) apps.push_back(*next->second);
  }
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

bool SqliteCatalog::read_apps(SqliteDatabase& database) {
  auto apps = select_apps(database, "");
  if (!apps) return false;
  const auto now = std::chrono::steady_clock::now();
  const std::unique_lock lock(mutex_);
  while (!former_.empty() && former_.front().until < now) former_.pop_front();
  auto outcome = apps->step();
  for (; outcome == Step::row; outcome = apps->step()) {
    auto app = app_of(*apps);
    if (!app) return false;
    auto& place = place_under_lock(app->id);
    auto& present = present_[app->id];
    if (present && is_same(*present, *app)) continue;
    if (present) former_.push_back({std::move(present), now + kept_for_calls});
    present = std::make_unique<const rules::App>(*std::move(app));
    place = present.get();
  }
  return outcome == Step::end;
}

bool SqliteCatalog::read(SqliteDatabase& database) {
  if (!read_apps(database)) return false;
  auto rows = select_avatars(database, "");
  if (!rows) return false;
  std::map<std::string, rules::Avatar, std::less<>> avatars;
  auto outcome = rows->step();
  for (; outcome == Step::row; outcome = rows->step()) {
    auto avatar = avatar_of(*rows);
    avatars.insert_or_assign(avatar.id, std::move(avatar));
  }
  if (outcome != Step::end) return false;
  const std::unique_lock lock(mutex_);
  avatars_.swap(avatars);
  return true;
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

base::Result<base::Done> SqliteCatalog::create_app(rules::App app, base::Instant now) {
  app.created_at = now;
  return writer_.run([&](SqliteDatabase& database) { return insert_app(database, app); });
}

base::Result<base::Done> SqliteCatalog::create_avatar(rules::Avatar avatar, base::Instant now) {
  avatar.created_at = avatar.updated_at = now;
  return writer_.run([&](SqliteDatabase& database) { return insert_avatar(database, avatar); });
}

base::Result<base::Done> SqliteCatalog::create_persona(const rules::Persona& persona) {
  return writer_.run([&](SqliteDatabase& database) { return insert_persona(database, persona); });
}

}  // namespace stagedoor::store
