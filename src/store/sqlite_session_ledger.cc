#include "store/sqlite_session_ledger.h"

#include <algorithm>
#include <iterator>
#include <memory>

#include "rules/api_key.h"
#include "rules/audit_trail.h"
#include "store/list_number.h"

namespace stagedoor::store {
namespace {

using Step = SqliteStatement::Step;
using std::chrono::steady_clock;

constexpr std::chrono::seconds after_a_failure{1};
constexpr std::chrono::milliseconds patience{250};
// Few enough that a redemption that waits behind them does not wait long.
constexpr std::size_t ends_in_job_max = 256;

base::Instant instant(std::int64_t millis) {
  return base::Instant(std::chrono::milliseconds(millis));
}

rules::AuditEntry entry_of(rules::AuditAction action, base::Instant at,
                           std::string_view workspace_id, std::string_view session_id) {
  rules::AuditEntry entry;
  entry.at = at;
  entry.workspace_id = workspace_id;
  entry.action = name_of(action);
  entry.subject = session_id;
  return entry;
}

}  // namespace

SqliteSessionLedger::SqliteSessionLedger(SqliteWriter& writer, AppendAudit append,
                                         const base::Clock& clock,
                                         std::chrono::milliseconds heartbeat)
    : writer_(writer), append_(std::move(append)), clock_(clock), heartbeat_(heartbeat) {}

base::Result<SqliteSessionLedger::Statements*> SqliteSessionLedger::statements_for(
    SqliteDatabase& database) {
  if (statements_) return &*statements_;
  auto insert = database.prepare(
      "INSERT INTO sessions (id, token_id, workspace_id, app_id, environment, api_key_id, "
      "end_user_id, avatar_id, dialect, peer, began_at, last_seen_at, number) "
      "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?11, " +
      next_number("sessions", "workspace_id = ?3 AND began_at = ?11") + ")");
  auto find = database.prepare(
      "SELECT began_at, ended_at, end_reason, connections FROM sessions WHERE id = ?1");
  auto resume = database.prepare(
      "UPDATE sessions SET ended_at = NULL, end_reason = '', connections = connections + 1, "
      "last_seen_at = max(last_seen_at, ?2) WHERE id = ?1");
  auto find_open = database.prepare(
      "SELECT workspace_id, began_at FROM sessions WHERE id = ?1 AND "
      "(?2 IS NULL OR ?2 = connections) AND ended_at IS NULL");
  auto end = database.prepare(
      "UPDATE sessions SET ended_at = max(?2, began_at), last_seen_at = max(?2, last_seen_at), "
      "end_reason = ?3 WHERE id = ?1");
  if (!insert || !find || !resume || !find_open || !end)
    return database.trouble("prepare for the ledger");
  statements_.emplace(*std::move(insert), *std::move(find), *std::move(resume),
                      *std::move(find_open), *std::move(end));
  return &*statements_;
}

base::Result<base::Done> SqliteSessionLedger::begin(SqliteDatabase& database,
                                                    const rules::Redemption& redemption) {
  const auto statements = statements_for(database);
  if (!statements) return base::fail(statements.error());
  auto& insert = (*statements)->insert;
  const auto& session = redemption.session;
  const auto key = rules::parse_api_key_id(session.api_key_id).value_or(0);
  insert.bind_in_place(1, session.id).bind_blob_in_place(2, redemption.id);
  insert.bind_in_place(3, session.workspace_id).bind_in_place(4, session.app_id);
  insert.bind(5, static_cast<std::int64_t>(session.environment));
  insert.bind(6, static_cast<std::int64_t>(key)).bind_in_place(7, session.end_user_id);
  insert.bind_in_place(8, session.avatar_id).bind_in_place(9, session.dialect);
  insert.bind_in_place(10, session.peer);
  insert.bind(11, base::unix_millis(session.began_at));
  if (!insert.run()) return database.trouble("begin a session");
  auto entry = entry_of(rules::AuditAction::session_begin, session.began_at, session.workspace_id,
                        session.id);
  entry.actor = session.api_key_id;
  entry.peer = session.peer;
  entry.request_id = redemption.request_id;
  entry.detail = rules::place_text(session.app_id, session.environment);
  return append_(database, std::move(entry));
}

base::Result<std::optional<rules::Redeemed>> SqliteSessionLedger::resume(
    SqliteDatabase& database, std::string_view session_id, const rules::Redemption& redemption) {
  const auto statements = statements_for(database);
  if (!statements) return base::fail(statements.error());
  auto& [insert, find, resume, find_open, end] = **statements;
  find.bind(1, session_id);
  const auto outcome = find.step();
  if (outcome == Step::failed) {
    find.reset();
    return database.trouble("find a session");
  }
  rules::Redeemed redeemed;
  redeemed.kind = rules::Redeemed::Kind::resumed;
  redeemed.session_id = session_id;
  bool is_good = outcome == Step::row && rules::may_resume(find.text(2));
  if (is_good) {
    redeemed.began_at = instant(find.integer(0));
    // One that has not ended there ends in memory only, in this very moment.
    redeemed.counted_until = find.is_null(1) ? redemption.at : instant(find.integer(1));
    redeemed.connection = static_cast<int>(find.integer(3)) + 1;
    const auto length = redemption.session.ends_at - redemption.session.began_at;
    is_good = redemption.at < redeemed.began_at + length;
  }
  find.reset();
  if (!is_good) return std::nullopt;
  if (!resume.bind(1, session_id).bind(2, base::unix_millis(redemption.at)).run())
    return database.trouble("resume a session");
  auto entry = entry_of(rules::AuditAction::session_resume, redemption.at,
                        redemption.session.workspace_id, session_id);
  entry.actor = redemption.session.api_key_id;
  entry.peer = redemption.session.peer;
  entry.request_id = redemption.request_id;
  if (auto kept = append_(database, std::move(entry)); !kept) return base::fail(kept.error());
  return redeemed;
}

base::Result<base::Done> SqliteSessionLedger::write_end(SqliteDatabase& database, const End& end) {
  const auto statements = statements_for(database);
  if (!statements) return base::fail(statements.error());
  auto& find = (*statements)->find_open;
  find.bind(1, end.session_id).bind_null(2);
  if (end.connection) find.bind(2, *end.connection);
  const auto outcome = find.step();
  const bool is_open = outcome == Step::row;
  const auto workspace_id = is_open ? std::string(find.text(0)) : std::string();
  const auto began_at = is_open ? find.integer(1) : 0;
  find.reset();
  if (outcome == Step::failed) return database.trouble("find an open session");
  if (!is_open) return base::Done{};
  auto& update = (*statements)->end;
  update.bind(1, end.session_id).bind(2, base::unix_millis(end.at)).bind(3, end.reason);
  if (!update.run()) return database.trouble("end a session");
  auto entry = entry_of(rules::AuditAction::session_end, end.at, workspace_id, end.session_id);
  const auto lasted = std::max<std::int64_t>(base::unix_millis(end.at) - began_at, 0);
  entry.actor = "system";
  entry.detail = end.reason + ", " + std::to_string(lasted) + " ms";
  return append_(database, std::move(entry));
}

base::Result<base::Done> SqliteSessionLedger::close_abandoned(SqliteDatabase& database) {
  auto close = database.prepare(
      "UPDATE sessions SET ended_at = last_seen_at, end_reason = 'server_died' "
      "WHERE ended_at IS NULL RETURNING id, workspace_id, last_seen_at, began_at");
  if (!close) return base::fail(close.error());
  std::vector<rules::AuditEntry> entries;
  auto outcome = close->step();
  for (; outcome == Step::row; outcome = close->step()) {
    auto& entry = entries.emplace_back(
        entry_of(rules::AuditAction::session_end, clock_.now(), close->text(1), close->text(0)));
    entry.actor = "system";
    entry.detail = "server_died, " + std::to_string(close->integer(2) - close->integer(3)) + " ms";
  }
  if (outcome != Step::end) return database.trouble("close abandoned sessions");
  for (auto& entry : entries)
    if (auto kept = append_(database, std::move(entry)); !kept) return kept;
  return base::Done{};
}

base::Result<std::vector<SqliteSessionLedger::Use>> SqliteSessionLedger::live_use_since(
    base::Instant from) {
  std::vector<Use> uses;
  auto done = writer_.run_quietly([&](SqliteDatabase& database) -> base::Result<base::Done> {
    auto select = database.prepare(
        "SELECT app_id, sum((ifnull(ended_at, last_seen_at) - began_at + 999) / 1000) FROM "
        "sessions WHERE app_id IN (SELECT id FROM apps) AND environment = 0 AND began_at >= ?1 "
        "GROUP BY app_id");
    if (!select) return base::fail(select.error());
    select->bind(1, base::unix_millis(from));
    auto outcome = select->step();
    for (; outcome == Step::row; outcome = select->step())
      uses.push_back({std::string(select->text(0)), select->integer(1)});
    if (outcome == Step::failed) return database.trouble("read the month's use");
    return base::Done{};
  });
  if (!done) return base::fail(done.error());
  return uses;
}

base::Result<base::Done> SqliteSessionLedger::open() {
  auto closed = writer_.run([this](SqliteDatabase& database) { return close_abandoned(database); });
  if (!closed) return closed;
  thread_ = std::thread([this] { run(); });
  return base::Done{};
}

void SqliteSessionLedger::finish() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void SqliteSessionLedger::end(std::string_view session_id, int connection, std::string_view reason,
                              base::Instant at) {
  // Nobody comes back with a token that was revoked.
  const bool may_wait = reason == name_of(rules::SessionEnd::revoked);
  bool is_first;
  {
    const std::lock_guard lock(mutex_);
    auto& ends = may_wait ? patient_ends_ : ends_;
    is_first = ends.empty();
    if (may_wait && is_first) patient_until_ = steady_clock::now() + patience;
    ends.emplace_back(std::string(session_id), connection, std::string(reason), at);
  }
  if (is_first) wake_.notify_one();
}

base::Result<base::Done> SqliteSessionLedger::end_for_good(std::string_view session_id,
                                                           std::string_view reason,
                                                           rules::AuditEntry entry) {
  const End end{std::string(session_id), std::nullopt, std::string(reason), entry.at};
  return writer_.run_quietly([&](SqliteDatabase& database) -> base::Result<base::Done> {
    if (auto kept = append_(database, entry); !kept) return kept;
    return write_end(database, end);
  });
}

void SqliteSessionLedger::run() {
  auto next_heartbeat = steady_clock::now() + heartbeat_;
  std::unique_lock lock(mutex_);
  for (;;) {
    const auto now = steady_clock::now();
    if (stopping_ || now >= patient_until_) {
      std::ranges::move(patient_ends_, std::back_inserter(ends_));
      patient_ends_.clear();
    }
    const bool is_due = stopping_ || (!ends_.empty() && now >= not_before_);
    if (is_due && !ends_.empty()) {
      std::vector<End> some;
      const auto count = std::min(ends_.size(), ends_in_job_max);
      const auto last = ends_.begin() + static_cast<std::ptrdiff_t>(count);
      some.assign(std::make_move_iterator(ends_.begin()), std::make_move_iterator(last));
      ends_.erase(ends_.begin(), last);
      lock.unlock();
      submit(std::move(some));
      lock.lock();
      continue;
    }
    if (stopping_) return;
    if (now >= next_heartbeat) {
      next_heartbeat = now + heartbeat_;
      lock.unlock();
      move_last_seen();
      lock.lock();
      continue;
    }
    auto until = next_heartbeat;
    if (!ends_.empty()) until = std::min(until, not_before_);
    if (!patient_ends_.empty()) until = std::min(until, patient_until_);
    wake_.wait_until(lock, until);
  }
}

void SqliteSessionLedger::submit(std::vector<End> ends) {
  const auto shared = std::make_shared<std::vector<End>>(std::move(ends));
  const auto again = [this, shared] {
    const std::lock_guard lock(mutex_);
    ends_.insert(ends_.end(), std::make_move_iterator(shared->begin()),
                 std::make_move_iterator(shared->end()));
    not_before_ = steady_clock::now() + after_a_failure;
    wake_.notify_one();
  };
  const bool is_taken =
      writer_.submit({.work = [this, shared](SqliteDatabase& database) -> base::Result<base::Done> {
                        for (const auto& end : *shared)
                          if (auto written = write_end(database, end); !written) return written;
                        return base::Done{};
                      },
                      .done =
                          [again](const base::Result<base::Done>& kept) {
                            if (!kept) again();
                          },
                      .may_repeat = true});
  const std::lock_guard lock(mutex_);
  // A writer that has stopped takes nothing more; the next start closes what is left.
  if (!is_taken && !stopping_) {
    ends_.insert(ends_.end(), shared->begin(), shared->end());
    not_before_ = steady_clock::now() + after_a_failure;
  }
}

void SqliteSessionLedger::move_last_seen() {
  const auto now = base::unix_millis(clock_.now());
  (void)writer_.submit({.work = [now](SqliteDatabase& database) -> base::Result<base::Done> {
                          auto move = database.prepare(
                              "UPDATE sessions SET last_seen_at = ?1 WHERE ended_at IS NULL AND "
                              "last_seen_at < ?1");
                          if (!move || !move->bind(1, now).run())
                            return database.trouble("move last seen");
                          return base::Done{};
                        },
                        .done = [](const base::Result<base::Done>&) {}});
}

}  // namespace stagedoor::store
