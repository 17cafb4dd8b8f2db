#include "store/sqlite_audit_log.h"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <utility>

#include "base/text.h"
#include "store/secret_file.h"

namespace stagedoor::store {
namespace {

using base::ErrorCode;
using rules::AuditNotes;
using Step = SqliteStatement::Step;

constexpr std::string_view read_head = "SELECT number, seal, proof FROM audit_head";

bool copy_seal(std::span<const std::uint8_t> bytes, rules::AuditSeal& seal) {
  if (bytes.size() != seal.size()) return false;
  std::ranges::copy(bytes, seal.begin());
  return true;
}

base::Result<SqliteAuditHead> head_of(SqliteStatement& read, const SqliteDatabase& database) {
  const auto outcome = read.step();
  if (outcome == Step::failed) return database.trouble("read the audit log's end");
  SqliteAuditHead head;
  const bool is_there = outcome == Step::row;
  if (is_there) head.checkpoint.number = read.integer(0);
  const bool is_whole = is_there && copy_seal(read.blob(1), head.checkpoint.seal) &&
                        copy_seal(read.blob(2), head.proof);
  read.reset();
  if (is_whole) return head;
  return base::fail(ErrorCode::conflict, "audit log: its end is not noted",
                    "The note of where the audit log ends was taken away or changed; nothing can "
                    "be recorded. Put the database back from a backup.");
}

base::Result<base::Done> check_key(SqliteDatabase& database, const rules::AuditSealer& sealer,
                                   const std::string& path) {
  const auto head = read_audit_head(database);
  if (!head) return base::fail(head.error());
  if (sealer.head_proof(head->checkpoint) == head->proof) return base::Done{};
  return base::fail(ErrorCode::conflict, "audit log: sealed with another key",
                    "The audit log was not sealed with the key in " + path +
                        ", or its end was changed. Put back the key that belongs to this "
                        "database; see docs/guide/audit-and-usage.md.");
}

// The log is empty and has no key yet.
base::Result<bool> is_new(SqliteDatabase& database) {
  auto read = database.prepare(
      "SELECT (SELECT count(*) FROM (SELECT 1 FROM audit_log LIMIT 1)), "
      "(SELECT ifnull(max(number), 0) FROM audit_head)");
  if (!read) return base::fail(read.error());
  if (read->step() != Step::row) return database.trouble("look into the audit log");
  return read->integer(0) == 0 && read->integer(1) == 0;
}

base::Result<base::Done> write_head(SqliteDatabase& database, const rules::AuditSealer& sealer,
                                    const rules::AuditCheckpoint& at) {
  auto write = database.prepare("INSERT OR REPLACE INTO audit_head VALUES (1, ?1, ?2, ?3)");
  if (!write) return base::fail(write.error());
  write->bind(1, at.number).bind_blob(2, at.seal).bind_blob(3, sealer.head_proof(at));
  if (!write->run()) return database.trouble("note the audit log's end");
  return base::Done{};
}

// The last entry as it is kept; the empty log's beginning where there is none.
base::Result<base::Done> read_last(SqliteDatabase& database, rules::AuditCheckpoint& last) {
  auto read = database.prepare("SELECT number, seal FROM audit_log ORDER BY number DESC LIMIT 1");
  if (!read) return base::fail(read.error());
  const auto outcome = read->step();
  if (outcome == Step::failed) return database.trouble("read the audit log");
  if (outcome == Step::end) return base::Done{};
  last.number = read->integer(0);
  if (copy_seal(read->blob(1), last.seal)) return base::Done{};
  return base::fail(ErrorCode::conflict, "audit log: the last seal is none",
                    "The last entry of the audit log has no seal.");
}

// Inside a transaction, so that of two processes one makes the key. The key is on disk under
// another name before the log says that it has one, and gets its name afterwards; a process that
// died in between has left both, and they belong together.
base::Result<base::Done> make_key(SqliteDatabase& database, const std::string& path,
                                  base::Random& random) {
  const auto unfinished = path + ".new";
  if (std::filesystem::exists(path)) return base::Done{};
  if (std::filesystem::exists(unfinished)) {
    const auto sealer = read_audit_key(unfinished);
    if (sealer && check_key(database, *sealer, unfinished)) return base::Done{};
  }
  const auto fresh = is_new(database);
  if (!fresh) return base::fail(fresh.error());
  if (!*fresh) {
    return base::fail(ErrorCode::conflict, "audit log: its key is gone",
                      "There is an audit log but not its key, " + path +
                          ". Put the key back from where you keep a copy. If it is lost for good: "
                          "stagedoor audit new-key");
  }
  std::vector<base::Secret> keys;
  keys.push_back(new_server_secret(random));
  if (auto written = write_secret_file(unfinished, keys); !written) return written;
  return write_head(database, rules::AuditSealer(keys.front()), {});
}

}  // namespace

base::Result<SqliteAuditHead> read_audit_head(SqliteDatabase& database) {
  auto read = database.prepare(read_head);
  if (!read) return base::fail(read.error());
  return head_of(*read, database);
}

base::Result<rules::AuditSealer> read_audit_key(const std::string& path) {
  const auto keys = read_secret_file(path, 1);
  if (!keys) return base::fail(keys.error());
  return rules::AuditSealer(keys->front());
}

base::Result<rules::AuditSealer> open_audit_key(SqliteDatabase& database, const std::string& path,
                                                base::Random& random) {
  if (!std::filesystem::exists(path)) {
    if (auto begun = database.execute("BEGIN IMMEDIATE"); !begun) return base::fail(begun.error());
    auto made = make_key(database, path, random);
    if (made) made = database.execute("COMMIT");
    if (database.is_in_transaction()) (void)database.execute("ROLLBACK");
    if (!made) return base::fail(made.error());
    if (auto named = rename_durably(path + ".new", path); !named && !std::filesystem::exists(path))
      return base::fail(named.error());
  }
  auto sealer = read_audit_key(path);
  if (!sealer) return sealer;
  if (auto right = check_key(database, *sealer, path); !right) return base::fail(right.error());
  return sealer;
}

base::Result<rules::AuditCheckpoint> renew_audit_key(SqliteDatabase& database,
                                                     const std::string& path,
                                                     base::Random& random) {
  if (std::filesystem::exists(path)) {
    return base::fail(ErrorCode::forbidden, "a new audit key over the old one",
                      "There is a key, " + path + "; nothing was changed.");
  }
  if (auto begun = database.execute("BEGIN IMMEDIATE"); !begun) return base::fail(begun.error());
  std::vector<base::Secret> keys;
  keys.push_back(new_server_secret(random));
  rules::AuditCheckpoint last;
  auto done = write_secret_file(path + ".new", keys);
  if (done) done = read_last(database, last);
  if (done) done = write_head(database, rules::AuditSealer(keys.front()), last);
  if (done) done = database.execute("COMMIT");
  if (database.is_in_transaction()) (void)database.execute("ROLLBACK");
  if (done) done = rename_durably(path + ".new", path);
  if (!done) return base::fail(done.error());
  return last;
}

SqliteAuditLog::SqliteAuditLog(SqliteWriter& writer, rules::AuditSealer sealer,
                               const base::Clock& clock, AuditNotes::Options notes)
    : writer_(writer), sealer_(std::move(sealer)), clock_(clock), notes_(notes) {
  writer_.gather_with(*this);
}

base::Result<SqliteAuditLog::Statements*> SqliteAuditLog::statements_for(SqliteDatabase& database) {
  if (statements_ && statements_->database == &database) return &*statements_;
  auto head = database.prepare(read_head);
  auto insert = database.prepare(
      "INSERT INTO audit_log (number, at, workspace_id, actor, action, subject, outcome, peer, "
      "request_id, detail, seal) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)");
  auto move_head = database.prepare("UPDATE audit_head SET number = ?1, seal = ?2, proof = ?3");
  if (!head || !insert || !move_head) return database.trouble("prepare for the audit log");
  statements_.emplace(&database, *std::move(head), *std::move(insert), *std::move(move_head));
  return &*statements_;
}

base::Result<base::Done> SqliteAuditLog::read_proved_head(Statements& statements) {
  const auto head = head_of(statements.head, *statements.database);
  if (!head) return base::fail(head.error());
  if (sealer_.head_proof(head->checkpoint) == head->proof) {
    head_ = head->checkpoint;
    return base::Done{};
  }
  return base::fail(ErrorCode::conflict, "audit log: the note of its end was changed by others",
                    "The audit log was changed by others; nothing can be recorded.");
}

base::Result<base::Done> SqliteAuditLog::append(SqliteDatabase& database, rules::AuditEntry entry) {
  const auto statements = statements_for(database);
  if (!statements) return base::fail(statements.error());
  // To whoever calls, a log that was tampered with is trouble, and what is wrong with it is not
  // theirs to know.
  if (!head_)
    if (auto read = read_proved_head(**statements); !read)
      return base::fail(ErrorCode::unavailable, read.error().detail);
  rules::make_fit(entry);
  rules::AuditCheckpoint after;
  after.number = head_->number + 1;
  after.seal = sealer_.seal(head_->seal, after.number, entry);
  auto& insert = (*statements)->insert;
  insert.bind(1, after.number).bind(2, base::unix_millis(entry.at));
  insert.bind_in_place(3, entry.workspace_id).bind_in_place(4, entry.actor);
  insert.bind_in_place(5, entry.action).bind_in_place(6, entry.subject);
  insert.bind(7, static_cast<std::int64_t>(entry.outcome)).bind_in_place(8, entry.peer);
  insert.bind_in_place(9, entry.request_id).bind_in_place(10, entry.detail);
  insert.bind_blob_in_place(11, after.seal);
  if (!insert.run()) return database.trouble("append to the audit log");
  head_ = after;
  return base::Done{};
}

base::Result<base::Done> SqliteAuditLog::write(SqliteDatabase& database) {
  if (!head_) return base::Done{};
  auto& move_head = statements_->move_head;
  move_head.bind(1, head_->number).bind_blob(2, head_->seal);
  if (!move_head.bind_blob(3, sealer_.head_proof(*head_)).run() || database.changes() != 1)
    return database.trouble("note the audit log's end");
  return base::Done{};
}

base::Result<base::Done> SqliteAuditLog::append_all(SqliteDatabase& database,
                                                    std::span<const rules::AuditEntry> entries) {
  for (const auto& entry : entries)
    if (auto appended = append(database, entry); !appended) return appended;
  return base::Done{};
}

base::Result<base::Done> SqliteAuditLog::record(rules::AuditEntry entry) {
  return writer_.run_quietly([&](SqliteDatabase& database) { return append(database, entry); });
}

void SqliteAuditLog::add(rules::AuditEntry entry) {
  rules::make_fit(entry);
  const std::lock_guard lock(mutex_);
  notes_.add(std::move(entry));
}

void SqliteAuditLog::note(rules::AuditEntry entry) {
  add(std::move(entry));
  flush(AuditNotes::Until::window_is_over);
}

void SqliteAuditLog::note_later(rules::AuditEntry entry, Complete complete) {
  {
    std::unique_lock lock(mutex_);
    if (incomplete_.size() >= incomplete_max) {
      lock.unlock();
      return note(std::move(entry));
    }
    incomplete_.emplace_back(std::move(entry), std::move(complete));
    if (std::exchange(is_completing_, true)) return;
  }
  const bool taken = writer_.submit(
      {.work = [](SqliteDatabase&) { return base::Result<base::Done>(base::Done{}); },
       .done =
           [this](const base::Result<base::Done>&) {
             complete_waiting();
             flush(AuditNotes::Until::window_is_over);
           }});
  if (taken) return;
  // They wait for the second to be over.
  const std::lock_guard lock(mutex_);
  is_completing_ = false;
}

void SqliteAuditLog::complete_waiting() {
  std::vector<std::pair<rules::AuditEntry, Complete>> waiting;
  {
    const std::lock_guard lock(mutex_);
    waiting = std::exchange(incomplete_, {});
    is_completing_ = false;
  }
  for (auto& [entry, complete] : waiting) {
    complete(entry);
    add(std::move(entry));
  }
}

void SqliteAuditLog::finish() {
  // What is being completed on the writer's thread is noted when this has run there.
  (void)writer_.run_quietly([](SqliteDatabase&) { return base::Result<base::Done>(base::Done{}); });
  complete_waiting();
  flush(AuditNotes::Until::everything);
}

void SqliteAuditLog::flush(AuditNotes::Until until) {
  std::vector<rules::AuditEntry> entries;
  {
    const std::lock_guard lock(mutex_);
    // One group at a time: what comes meanwhile goes with the next.
    if (is_submitted_ && until == AuditNotes::Until::window_is_over) return;
    entries = notes_.take(clock_.now(), until);
    is_submitted_ = is_submitted_ || !entries.empty();
  }
  if (!entries.empty()) submit(std::move(entries));
}

void SqliteAuditLog::submit(std::vector<rules::AuditEntry> entries) {
  const auto group = std::make_shared<std::vector<rules::AuditEntry>>(std::move(entries));
  const auto give_back = [this](std::vector<rules::AuditEntry>& lost) {
    const std::lock_guard lock(mutex_);
    notes_.give_back(std::move(lost));
    is_submitted_ = false;
  };
  const bool taken = writer_.submit(
      {.work = [this, group](SqliteDatabase& database) { return append_all(database, *group); },
       .done =
           [this, group, give_back](const base::Result<base::Done>& kept) {
             if (!kept) return give_back(*group);
             {
               const std::lock_guard lock(mutex_);
               notes_.were_kept(group->size());
               is_submitted_ = false;
               if (notes_.is_empty()) return;
             }
             flush(AuditNotes::Until::window_is_over);
           }});
  if (!taken) give_back(*group);
}

}  // namespace stagedoor::store
