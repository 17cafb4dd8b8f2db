// How apps are made and changed.
//
// Rule app-changed-by-its-owners: people with apps:write make and change the apps of their
// workspace. An API key changes its own app only where apps:write was named among its scopes and
// it is a live key, and it only narrows: a limit is there to hold also when a key is stolen, and
// both environments share it. What belongs to others is the same `not_found` as nothing.
//
// Used by: actions/keep_app.h
// Kept by: store/sqlite_apps.h
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "rules/app.h"
#include "rules/audit.h"
#include "rules/rate_limit.h"

namespace stagedoor::rules {

inline constexpr std::size_t app_name_bytes_max = 100;
inline constexpr std::size_t apps_of_workspace_max = 1000;
inline constexpr int app_token_uses_max = 1000;
inline constexpr int app_sessions_max = 10'000'000;
inline constexpr std::int64_t app_length_seconds_max = 604'800;
inline constexpr std::int64_t app_idle_seconds_max = 86'400;

// What is to become of an app; what is not there stays.
struct AppChange {
  std::optional<std::string> name;
  std::optional<int> token_uses_max, sessions_max;
  std::optional<std::chrono::seconds> length_max, idle_max;
  // Inside, nullopt: none of its own.
  std::optional<std::optional<RateLimit>> rate_limit, end_user_limit;
  std::optional<std::optional<std::int64_t>> monthly_minutes;

  bool is_empty() const;
};
// `malformed` with a hint that names what is out of bounds.
base::Result<base::Done> check(const AppChange& change);
App changed(App app, const AppChange& change);
// What was asked for, for the audit log: "name=One, sessions_max=5, rate_limit=none".
std::string text_of(const AppChange& change);

// `forbidden` with a hint that names the first limit of `after` that lets more through than
// `before` does. `end_user_default` holds for apps without an end-user limit of their own.
base::Result<base::Done> check_not_looser(const AppLimits& after, const AppLimits& before,
                                          const RateLimit& end_user_default);

// Where apps are kept. Safe for concurrent use.
class AppRecords {
 public:
  virtual ~AppRecords() = default;
  // By id, from memory: at most `count_max` of those after the id `after`.
  virtual std::vector<App> list(std::string_view workspace_id, std::string_view after,
                                std::size_t count_max) const = 0;

  // Durable, with its entry, when they return; not from an event loop.
  // `conflict` where the workspace has all the apps that it may have.
  virtual base::Result<base::Done> create(const App& app, const AuditEntry& entry) = 0;
  using Change = std::function<base::Result<App>(const App& before)>;
  // `not_found`; what `change` refuses stays as it was, and its error is the answer.
  virtual base::Result<App> change(std::string_view id, const Change& change,
                                   const AuditEntry& entry) = 0;
};

}  // namespace stagedoor::rules
