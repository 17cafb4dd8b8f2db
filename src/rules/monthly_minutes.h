// How many minutes an app's live sessions may last in one month.
//
// Rule app-monthly-minutes: an app may have so many minutes of live use in a calendar month (UTC).
// When its sessions have used them, no further token is minted or redeemed for live use, and those
// that run are ended: a leaked key or a runaway client costs at most what somebody has agreed to.
// The count is that of the usage report (rules/usage.h): a session counts in the month in which it
// began, in full seconds, and in it only; test sessions cost nothing and count nothing. It is taken
// from the ledger at each start.
//
// Used by: actions/mint_session_token.h, actions/admit_connection.h, server/minute_watch.h
// Kept by: store/memory_minute_meter.h
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "rules/app.h"
#include "rules/live_session.h"

namespace stagedoor::rules {

inline constexpr std::int64_t monthly_minutes_max = 1'000'000'000;

// When the calendar month of an instant began, UTC.
base::Instant month_of(base::Instant instant);

// A duration as usage counts it: the last second begun counts whole.
std::int64_t whole_seconds(base::Instant began_at, base::Instant until);

// Counts the live use of each app. Safe for concurrent use; from memory, without waiting.
class MinuteMeter {
 public:
  virtual ~MinuteMeter() = default;
  // Of this app in the month of `now`: sessions that run count up to `now`.
  virtual std::int64_t seconds_used(std::string_view app_id, base::Instant now) const = 0;
  // A session that counts runs; up to `counted_until` it is counted already. A later connection of
  // the same session takes the place of an earlier one.
  virtual void begin(const LiveSession& session, int connection, base::Instant counted_until) = 0;
};

// Whether the app's minutes of this month are used up; false where it has no such limit.
bool are_minutes_used_up(const App& app, const MinuteMeter& meter, base::Instant now);

// `payment_required` where no further session of this environment may begin. Looks nothing up where
// the app has no such limit.
base::Result<base::Done> check_minutes(const App& app, Environment environment,
                                       const MinuteMeter& meter, base::Instant now);

}  // namespace stagedoor::rules
