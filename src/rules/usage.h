// What was used: calls of keys, and sessions with their seconds, per app, environment, key and end
// user.
//
// Rule usage-counted-once: a session is one row of the ledger, written with the redemption that let
// it in, and counts once, in the period in which it began, however often its client came back and
// however it ended. It lasts from its beginning to its end, in full seconds, the last one begun
// counts whole; one that lives or whose server died, to when it was last seen.
//
// Rule usage-of-tests-is-free: sessions of test keys and their seconds are counted apart, and none
// of their seconds is billable.
//
// Rule usage-reconciles: the ledger and the audit log tell the same sessions, each with one
// beginning, the same key, app and times, and an end where it has ended; whoever changes one of the
// two alone is found out.
//
// Used by: api/usage.h, server/usage_commands.h
// Kept by: store/sqlite_usage.h
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "rules/app.h"

namespace stagedoor::rules {

// UTC.
enum class UsagePeriod : unsigned char { hour, day, month };

// What one row is about: an app, a key of it (with the sessions that rest on it), or an end user.
enum class UsageOf : unsigned char { apps, keys, end_users };

struct UsageRow {
  base::Instant period_at;  // when the period begins
  std::string app_id;
  Environment environment = Environment::live;
  std::string who;  // "key_...", or the end user's id; empty for apps, and where nobody was named
  std::int64_t calls = 0;
  std::int64_t refusals = 0;  // of the calls
  std::int64_t sessions = 0;
  std::int64_t seconds = 0;

  std::int64_t billable_seconds() const { return environment == Environment::live ? seconds : 0; }
};

// Where a page ended: rows are ordered by period, app, environment and who.
struct UsageCursor {
  std::int64_t period_seconds = 0;
  std::string app_id;
  int environment = 0;
  std::string who;
};
std::string text_of(const UsageCursor& cursor);
// `malformed` with a hint.
base::Result<UsageCursor> parse_usage_cursor(std::string_view text);

struct UsageQuery {
  base::Instant from,
      until;  // full hours; from <= begin of a session, or the hour of a call, < until
  UsagePeriod by = UsagePeriod::day;
  std::string workspace_id;
  std::string app_id;  // empty: all of the workspace
  std::optional<Environment> environment;
  std::optional<UsageCursor> beyond;
  std::size_t count_max = 100;
};

struct UsagePage {
  std::vector<UsageRow> rows;
  bool has_more = false;
};

// Safe for concurrent use; not from an event loop.
class UsageReport {
 public:
  virtual ~UsageReport() = default;
  virtual base::Result<UsagePage> read(UsageOf what, const UsageQuery& query) const = 0;
};

}  // namespace stagedoor::rules
