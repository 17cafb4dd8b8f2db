// The ledger of sessions in SQLite: one row for each, from its redemption to its end.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "rules/redemption.h"
#include "store/append_audit.h"
#include "store/sqlite_writer.h"

namespace stagedoor::store {

// Safe for concurrent use.
class SqliteSessionLedger : public rules::SessionLedger {
 public:
  // How often `last_seen_at` of the live sessions moves, unless a test says otherwise.
  static constexpr std::chrono::milliseconds usual_heartbeat{10'000};

  SqliteSessionLedger(SqliteWriter& writer, AppendAudit append, const base::Clock& clock,
                      std::chrono::milliseconds heartbeat = usual_heartbeat);
  ~SqliteSessionLedger() override { finish(); }

  // Closes what a server that died has left open, each at the time when it was last seen; then the
  // heartbeat begins. Only for the one process that serves. Not from an event loop.
  base::Result<base::Done> open();
  // The seconds of each app's live sessions that began at or after `from`. Not from an event loop.
  struct Use {
    std::string app_id;
    std::int64_t seconds;
  };
  base::Result<std::vector<Use>> live_use_since(base::Instant from);
  // Hands the ends that wait to the writer and stops; before the writer does.
  void finish();

  void end(std::string_view session_id, int connection, std::string_view reason,
           base::Instant at) override;
  base::Result<base::Done> end_for_good(std::string_view session_id, std::string_view reason,
                                        rules::AuditEntry entry) override;

  // Inside a writer's job, and where one fails the job must fail.
  base::Result<base::Done> begin(SqliteDatabase& database, const rules::Redemption& redemption);
  // The session goes on in a new connection; nullopt, and nothing changed, where it is too late.
  base::Result<std::optional<rules::Redeemed>> resume(SqliteDatabase& database,
                                                      std::string_view session_id,
                                                      const rules::Redemption& redemption);

 private:
  struct End {
    std::string session_id;
    std::optional<int> connection;  // nullopt: whichever holds it
    std::string reason;
    base::Instant at;
  };
  struct Statements {
    SqliteStatement insert, find, resume, find_open, end;
  };
  base::Result<Statements*> statements_for(SqliteDatabase& database);
  base::Result<base::Done> write_end(SqliteDatabase& database, const End& end);
  base::Result<base::Done> close_abandoned(SqliteDatabase& database);
  void submit(std::vector<End> ends);
  void move_last_seen();
  void run();

  SqliteWriter& writer_;
  const AppendAudit append_;
  const base::Clock& clock_;
  const std::chrono::milliseconds heartbeat_;
  std::optional<Statements> statements_;  // the writer's thread only
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<End> ends_;
  std::chrono::steady_clock::time_point not_before_{};  // after a failure
  // Ends that may wait until then, for those whom the same revocation still sends away.
  std::vector<End> patient_ends_;
  std::chrono::steady_clock::time_point patient_until_{};
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace stagedoor::store
