// Reports of live faces in SQLite (rules/session_report.h).
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <string>

#include "rules/session_report.h"
#include "store/sqlite_audit_log.h"
#include "store/sqlite_readers.h"
#include "store/sqlite_writer.h"

namespace stagedoor::store {

// Safe for concurrent use. What could not be written is tried again when `look_after` is called,
// and of what waits for that the oldest is given up.
class SqliteSessionReports : public rules::SessionReports {
 public:
  static constexpr std::size_t waiting_max = 64;
  // So many reports are taken away at once.
  static constexpr std::int64_t forgotten_at_once_max = 200;

  struct Options {
    std::chrono::days kept_for{30};  // 0: no report is kept at all
  };
  SqliteSessionReports(SqliteWriter& writer, SqliteReaders& readers, SqliteAuditLog& audit,
                       Options options)
      : writer_(writer), readers_(readers), audit_(audit), options_(options) {}

  void begin(std::string_view session_id, rules::SessionFacts facts, base::Instant at) override;
  void end(std::string_view session_id, rules::SessionReport report, base::Instant at) override;
  base::Result<rules::SessionReport> find(const std::string& session_id) override;
  base::Result<std::vector<std::vector<rules::ReportedTurn>>> turns_of(
      std::span<const std::string> session_ids) override;
  base::Result<base::Done> remove(const std::string& workspace_id, const std::string& session_id,
                                  const rules::AuditEntry& entry) override;

  // Tries again what was not written, and takes away some of what is as old as it may get. Does not
  // wait; called now and then.
  void look_after(base::Instant now);

 private:
  using Work = std::function<base::Result<base::Done>(SqliteDatabase&)>;
  void submit(Work work);

  SqliteWriter& writer_;
  SqliteReaders& readers_;
  SqliteAuditLog& audit_;
  const Options options_;
  std::mutex mutex_;
  std::deque<Work> waiting_;  // under mutex_
};

}  // namespace stagedoor::store
