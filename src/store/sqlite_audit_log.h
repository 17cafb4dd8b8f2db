// The audit log in SQLite (rules/audit.h). Each entry is appended inside the transaction of what it
// tells of, by whichever process makes it: the chain's end is read from the database, and proved,
// once in each group of the writer's, and written at the group's end.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "rules/audit.h"
#include "rules/audit_notes.h"
#include "store/sqlite_writer.h"

namespace stagedoor::store {

struct SqliteAuditHead {
  rules::AuditCheckpoint checkpoint;
  rules::AuditSeal proof{};
};
// `conflict` where the note of the log's end is not there.
base::Result<SqliteAuditHead> read_audit_head(SqliteDatabase& database);

// The key of the log in this database: 32 bytes in a private file (store/secret_file.h), made where
// neither the file nor an entry exists. `conflict`, with a hint, where the log was sealed with
// another key, or its key is gone, or the log's end was taken away: nothing can be recorded then.
base::Result<rules::AuditSealer> open_audit_key(SqliteDatabase& database, const std::string& path,
                                                base::Random& random);

// The key alone, without asking whether it belongs to a log.
base::Result<rules::AuditSealer> read_audit_key(const std::string& path);
// A new key for a log whose key is lost: the end of the log is noted anew, with the new key. Gives
// the last entry that the lost key has sealed. `forbidden` where there is a key.
base::Result<rules::AuditCheckpoint> renew_audit_key(SqliteDatabase& database,
                                                     const std::string& path, base::Random& random);

// Safe for concurrent use.
class SqliteAuditLog : public rules::AuditLog, private SqliteWriter::Gatherer {
 public:
  SqliteAuditLog(SqliteWriter& writer, rules::AuditSealer sealer, const base::Clock& clock,
                 rules::AuditNotes::Options notes = {});  // before the writer starts

  // Inside a writer's job, and only there. Where it fails the job must fail: `unavailable`, or
  // `conflict` where the note of the log's end was changed by others.
  base::Result<base::Done> append(SqliteDatabase& database, rules::AuditEntry entry);

  base::Result<base::Done> record(rules::AuditEntry entry) override;
  // A crash loses what was noted within the last moments; a clean end loses nothing.
  void note(rules::AuditEntry entry) override;
  // Completes it on the writer's thread. Where more wait, which takes a writer that does not come
  // to an end with its group, the entry is noted as it is.
  static constexpr std::size_t incomplete_max = 4096;
  void note_later(rules::AuditEntry entry, Complete complete) override;

  // Hands what was noted to the writer: called every second, so that what was folded is told.
  void flush() {
    complete_waiting();
    flush(rules::AuditNotes::Until::window_is_over);
  }
  // The same, all of it, before the writer stops. Not from an event loop.
  void finish();

  const rules::AuditSealer& sealer() const { return sealer_; }

 private:
  struct Statements {
    SqliteDatabase* database;
    SqliteStatement head, insert, move_head;
  };
  base::Result<Statements*> statements_for(SqliteDatabase& database);
  base::Result<base::Done> append_all(SqliteDatabase& database,
                                      std::span<const rules::AuditEntry> entries);
  base::Result<base::Done> read_proved_head(Statements& statements);
  void mark() override { marked_ = head_; }
  void drop() override { head_ = marked_; }
  base::Result<base::Done> write(SqliteDatabase& database) override;
  void clear() override { head_.reset(); }
  void flush(rules::AuditNotes::Until until);
  void submit(std::vector<rules::AuditEntry> entries);
  void add(rules::AuditEntry entry);
  void complete_waiting();

  SqliteWriter& writer_;
  const rules::AuditSealer sealer_;
  const base::Clock& clock_;
  // The writer's thread only: the end of the chain in the group that is worked on, once it was
  // read, and as it was at the savepoint.
  std::optional<Statements> statements_;
  std::optional<rules::AuditCheckpoint> head_, marked_;
  std::mutex mutex_;
  rules::AuditNotes notes_;
  bool is_submitted_ = false;
  std::vector<std::pair<rules::AuditEntry, Complete>> incomplete_;
  bool is_completing_ = false;  // a job of the writer's will
};

}  // namespace stagedoor::store
