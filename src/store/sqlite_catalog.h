// Workspaces, apps, avatars and personas in SQLite, answered from memory.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <atomic>
#include <chrono>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <vector>

#include "base/clock.h"
#include "rules/app.h"
#include "rules/persona.h"
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
  // By id: at most `count_max` of a workspace's, after the id `after`.
  std::vector<rules::App> apps_of(std::string_view workspace_id, std::string_view after,
                                  std::size_t count_max) const;

  // Where the app of this id is, or will be once it is known: a place that stays, so that whoever
  // looks often need not search. Null while there is no such app.
  using AppPlace = std::atomic<const rules::App*>;
  const AppPlace& place_of(std::string_view app_id);

  // Durable when they return; an id that exists already is `unavailable` and changes nothing.
  base::Result<base::Done> create_workspace(const std::string& id, const std::string& name,
                                            base::Instant now);
  // Without an entry: for the first app and avatar of a workspace. Others: store/sqlite_apps.h,
  // store/sqlite_avatars.h.
  base::Result<base::Done> create_app(rules::App app, base::Instant now);
  base::Result<base::Done> create_avatar(rules::Avatar avatar, base::Instant now);
  base::Result<base::Done> create_persona(const rules::Persona& persona);

 private:
  bool read(SqliteDatabase& database);
  bool read_apps(SqliteDatabase& database);
  AppPlace& place_under_lock(std::string_view app_id);

  SqliteWriter& writer_;
  mutable std::shared_mutex mutex_;
  // An app that changes gets a new object; those given out before stay as they were, until no call
  // can still hold them.
  struct Former {
    std::unique_ptr<const rules::App> app;
    std::chrono::steady_clock::time_point until;
  };
  std::map<std::string, std::unique_ptr<const rules::App>, std::less<>> present_;
  std::deque<Former> former_;
  std::map<std::string, std::unique_ptr<AppPlace>, std::less<>> apps_;
  std::map<std::string, rules::Avatar, std::less<>> avatars_;
};

}  // namespace stagedoor::store
