// Limits of single end users.
//
// Rule rate-limit-of-one-end-user: an app may give one of its end users a limit of their own, lower
// or higher than that of its others, or `unlimited`. It holds instead of the app's and that of the
// settings, in both environments, from when it is durable, and in other processes within 100 ms.
// Who may give and take one follows from rule app-changed-by-its-owners: an API key only narrows,
// so it neither gives a limit that lets more through than the one in force, nor takes away one that
// is stricter than what would hold without it.
//
// They are kept in memory, so there is a bound to them, of each app and of all together.
//
// Used by: actions/limit_end_user.h, actions/keep_end_user_limit.h
// Kept by: store/sqlite_end_user_limits.h
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

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

inline constexpr std::size_t end_user_limits_of_app_max = 10'000;
// Of all apps, some 150 bytes each and their ids.
inline constexpr std::size_t end_user_limits_max = 500'000;

// An end user's id as tokens may be minted for: 1 to 256 bytes of UTF-8. `malformed` with a hint.
base::Result<base::Done> check_end_user_id(std::string_view id);

// The limit that holds for an end user, and who set it.
struct AppliedEndUserLimit {
  enum class From : unsigned char { end_user, app, settings };
  RateLimit limit;
  From from;
  bool operator==(const AppliedEndUserLimit&) const = default;
};
inline AppliedEndUserLimit applied_limit(const std::optional<RateLimit>& own, const AppLimits& app,
                                         const RateLimit& of_settings) {
  using From = AppliedEndUserLimit::From;
  if (own) return {*own, From::end_user};
  if (app.end_user_limit) return {*app.end_user_limit, From::app};
  return {of_settings, From::settings};
}
// "end_user", "app", "settings".
std::string_view name_of(AppliedEndUserLimit::From from);

// `forbidden` with a hint where `after` lets more through than `before`.
base::Result<base::Done> check_not_looser(const AppliedEndUserLimit& after,
                                          const AppliedEndUserLimit& before);

struct EndUserLimit {
  std::string end_user_id;
  RateLimit limit;
};

// Reads the limits from memory. Safe for concurrent use.
class EndUserLimits {
 public:
  virtual ~EndUserLimits() = default;
  // nullopt: none of their own. Costs next to nothing while no end user of any app has one.
  virtual std::optional<RateLimit> limit_of(std::string_view app_id,
                                            std::string_view end_user_id) const = 0;
};

// What is to become of one end user's limit; nullopt: none of their own.
struct EndUserLimitChange {
  std::string app_id, end_user_id;
  std::optional<RateLimit> limit;
};
// What was asked for, for the audit log: "end_user_id=ada, rate_limit=5/min".
std::string text_of(const EndUserLimitChange& change);

// Where they are kept. Safe for concurrent use.
class EndUserLimitRecords : public EndUserLimits {
 public:
  // By the end users' ids, from memory: at most `count_max` of those after the id `after`.
  virtual std::vector<EndUserLimit> list(std::string_view app_id, std::string_view after,
                                         std::size_t count_max) const = 0;

  // Says whether it may become so, of what is there at that moment; its error is the answer.
  using Allow =
      std::function<base::Result<base::Done>(const std::optional<RateLimit>& own, const App& app)>;
  // Durable, with its entry, when it returns; not from an event loop. `not_found` for an app that
  // is not there, and for taking away what is not there; `conflict` for one more than may be. What
  // is refused changes nothing.
  virtual base::Result<base::Done> change(const EndUserLimitChange& change, const Allow& allow,
                                          const AuditEntry& entry) = 0;
};

}  // namespace stagedoor::rules
