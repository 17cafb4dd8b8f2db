// What a workspace owns besides keys: apps and avatars.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "rules/rate_limit.h"

namespace stagedoor::rules {

// Live and test are two worlds; a key belongs to one, and what it opens is marked with it.
enum class Environment : unsigned char { live, test };

inline std::string_view name_of(Environment environment) {
  return environment == Environment::live ? "live" : "test";
}

// What a session of an app may do, where the mint call says nothing stricter (rules/leash.h), and
// how often the app and each of its end users may call (rules/rate_limit.h).
struct AppLimits {
  int token_uses_max = 1;
  std::chrono::seconds length_max{2 * 3600};
  std::chrono::seconds idle_max{300};
  int sessions_max = 1000;                  // live at the same time
  std::optional<RateLimit> rate_limit;      // over all of its keys; nullopt: none
  std::optional<RateLimit> end_user_limit;  // nullopt: that of the settings
  // Of live sessions in a calendar month (rules/monthly_minutes.h); nullopt: no such limit.
  std::optional<std::int64_t> monthly_minutes;
  bool operator==(const AppLimits&) const = default;
};

// An app: what keys belong to and tokens are bound to. Its id is public.
struct App {
  std::string id;  // app_ + 20 base62
  std::string workspace_id;
  std::string name;
  AppLimits limits;
  base::Instant created_at = {};
};

// Who is seen where an avatar says nothing else.
inline constexpr std::string_view first_character = "ada";

// An avatar: which face performs. Its id is public, and it is of both environments.
struct Avatar {
  std::string id;  // a UUID
  std::string workspace_id;
  std::string name;
  std::string version;                                   // changes when its files do
  std::string character = std::string(first_character);  // whose face sheet it is drawn by
  base::Instant created_at = {}, updated_at = {};
  std::string app_id = {};  // whose it is; empty: the workspace's (rules/item_scope.h)
};

// Reads what exists. Safe for concurrent use; answers from memory.
class Catalog {
 public:
  virtual ~Catalog() = default;
  // The app stays valid, and as it was, for at least an hour after it was changed: longer than any
  // call takes. Null: no such app.
  virtual const App* app(std::string_view id) const = 0;
  virtual std::optional<Avatar> avatar(std::string_view id) const = 0;
};

}  // namespace stagedoor::rules
