// The minutes that apps have used this month, counted in memory (rules/monthly_minutes.h).
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rules/monthly_minutes.h"
#include "rules/redemption.h"

namespace stagedoor::store {

// Safe for concurrent use.
class MemoryMinuteMeter : public rules::MinuteMeter {
 public:
  // What the ledger has of an app's ended sessions that began in the month of `now`; before any
  // session begins.
  void load(const std::string& app_id, std::int64_t seconds, base::Instant now);

  std::int64_t seconds_used(std::string_view app_id, base::Instant now) const override;
  void begin(const rules::LiveSession& session, int connection,
             base::Instant counted_until) override;
  // Does nothing where the session does not count, or a later connection holds it.
  void end(std::string_view session_id, int connection, base::Instant at);

  // Which apps with running sessions have used up their minutes, and how long until the next one
  // has if no further session begins; nullopt: none will.
  struct Outlook {
    std::vector<std::string> used_up;
    std::optional<std::chrono::milliseconds> next;
  };
  using MinutesOf = std::function<std::optional<std::int64_t>(std::string_view app_id)>;
  Outlook outlook(const MinutesOf& minutes_of, base::Instant now) const;

 private:
  // The newest month in which a session of the app began.
  struct Month {
    base::Instant began_at;
    std::int64_t ended_seconds = 0;
    // Of the running ones that began in it: how many, and the sum of what they are counted until.
    std::int64_t running = 0;
    std::int64_t counted_until_millis = 0;

    std::int64_t seconds(base::Instant now) const;
  };
  struct Running {
    std::string app_id;
    base::Instant began_at, counted_until;
    int connection = 1;
  };
  Month* month_under_lock(const std::string& app_id, base::Instant began_at);

  mutable std::mutex mutex_;
  std::map<std::string, Month, std::less<>> months_;
  std::map<std::string, Running, std::less<>> running_;
};

// The ledger, with the meter told of each end before it.
class MeteredLedger : public rules::SessionLedger {
 public:
  MeteredLedger(rules::SessionLedger& ledger, MemoryMinuteMeter& meter)
      : ledger_(ledger), meter_(meter) {}
  void end(std::string_view session_id, int connection, std::string_view reason,
           base::Instant at) override {
    meter_.end(session_id, connection, at);
    ledger_.end(session_id, connection, reason, at);
  }
  // The meter counts on until the connection has closed.
  base::Result<base::Done> end_for_good(std::string_view session_id, std::string_view reason,
                                        rules::AuditEntry entry) override {
    return ledger_.end_for_good(session_id, reason, std::move(entry));
  }

 private:
  rules::SessionLedger& ledger_;
  MemoryMinuteMeter& meter_;
};

}  // namespace stagedoor::store
