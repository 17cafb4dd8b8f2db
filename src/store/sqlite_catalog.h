// Workspaces, apps, avatars and personas in SQLite, answered from memory.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <vector>

#include "base/clock.h"
#include "rules/app.h"
#include "rules/persona.h"
#include "store/append_audit.h"
#include "store/sqlite_writer.h"

namespace stagedoor::store {

// Safe for concurrent use.
class SqliteCatalog : public rules::Catalog {
 public:
  // Reads everything; then keeps up with the writer's changes and those of other processes.
  explicit SqliteCatalog(SqliteWriter& writer);

  const rules::App* app(std::string_view id) const override;
  std::optional<rules::Avatar> avatar(std::string_view id) const override;
  std::vector<rules::App> apps() const;

  // Where the app of this id is, or will be once it is known: a place that stays, so that whoever
  // looks often need not search. Null while there is no such app.
  using AppPlace = std::atomic<const rules::App*>;
  const AppPlace& place_of(std::string_view app_id);

  // Durable when they return; an id that exists already is `unavailable` and changes nothing.
  base::Result<base::Done> create_workspace(const std::string& id, const std::string& name,
                                            base::Instant now);
  base::Result<base::Done> create_app(const rules::App& app, base::Instant now);
  base::Result<base::Done> create_avatar(const rules::Avatar& avatar, base::Instant now);
  base::Result<base::Done> create_persona(const rules::Persona& persona);
  // `app_unknown` where there is none. The entry is kept with the change.
  base::Result<base::Done> set_limits(const std::string& app_id, const rules::AppLimits& limits,
                                      const rules::AuditEntry& entry, const AppendAudit& append);

 private:
  bool read(SqliteDatabase& database);
  AppPlace& place_under_lock(std::string_view app_id);

  SqliteWriter& writer_;
  mutable std::shared_mutex mutex_;
  // An app that changes gets a new object; those given out before stay as they were. Only an
  // operator's change adds one.
  std::vector<std::unique_ptr<const rules::App>> all_apps_;
  std::map<std::string, std::unique_ptr<AppPlace>, std::less<>> apps_;
  std::map<std::string, rules::Avatar, std::less<>> avatars_;
};

}  // namespace stagedoor::store
