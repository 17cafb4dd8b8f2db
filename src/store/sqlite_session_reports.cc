#include "store/sqlite_session_reports.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

namespace stagedoor::store {
namespace {

using base::Done;
using base::ErrorCode;
using base::Result;
using rules::ReportedMessage;
using rules::ReportedToolCall;
using rules::ReportedTurn;
using rules::SessionReport;
using std::chrono::milliseconds;
using Step = SqliteStatement::Step;

base::Instant instant(std::int64_t millis) {
  return base::Instant(milliseconds(millis));
}

void bind_time(SqliteStatement& statement, int at, std::optional<milliseconds> time) {
  if (time) {
    statement.bind(at, time->count());
  } else {
    statement.bind_null(at);
  }
}

std::optional<milliseconds> time_in(const SqliteStatement& row, int column) {
  if (row.is_null(column)) return std::nullopt;
  return milliseconds(row.integer(column));
}

Result<bool> has_row(SqliteDatabase& database, std::string_view sql, const std::string& id) {
  auto find = database.prepare(sql);
  if (!find) return base::fail(find.error());
  const auto outcome = find->bind(1, id).step();
  if (outcome == Step::failed) return database.trouble("look for a session");
  return outcome == Step::row;
}

Result<bool> is_removed(SqliteDatabase& database, const std::string& id) {
  return has_row(database, "SELECT 1 FROM removed_sessions WHERE session_id = ?1", id);
}

Result<Done> write_begin(SqliteDatabase& database, const std::string& id,
                         const rules::SessionFacts& facts, base::Instant at) {
  const auto removed = is_removed(database, id);
  if (!removed) return base::fail(removed.error());
  if (*removed) return Done{};
  // A session that goes on has its facts already.
  auto insert = database.prepare(
      "INSERT INTO session_reports (session_id, persona_id, persona_name, kind, client_label, "
      "client_metadata, keeps_transcript, kept_at, persona) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, "
      "?8, ?9) ON CONFLICT DO UPDATE SET is_whole = 0");
  if (!insert) return base::fail(insert.error());
  insert->bind(1, id).bind(2, facts.persona_id).bind(3, facts.persona_name);
  insert->bind(4, static_cast<int>(facts.kind)).bind(5, facts.client_label);
  insert->bind(6, facts.client_metadata).bind(7, facts.keeps_transcript ? 1 : 0);
  if (!insert->bind(8, base::unix_millis(at)).bind(9, facts.persona).run())
    return database.trouble("begin a session's report");
  return Done{};
}

// How much of a session is kept already: more than nothing where it goes on after an end.
struct Before {
  std::int64_t turns = 0, messages = 0, tool_calls = 0;
};
Result<Before> kept_before(SqliteDatabase& database, const std::string& id) {
  auto count = database.prepare(
      "SELECT (SELECT count(*) FROM session_turns WHERE session_id = ?1), (SELECT count(*) FROM "
      "session_messages WHERE session_id = ?1), (SELECT count(*) FROM session_tool_calls WHERE "
      "session_id = ?1)");
  if (!count) return base::fail(count.error());
  if (count->bind(1, id).step() != Step::row) return database.trouble("count a session's report");
  return Before{
      .turns = count->integer(0), .messages = count->integer(1), .tool_calls = count->integer(2)};
}

// What of a list still fits behind `before`.
template <class T>
std::span<const T> fitting(const std::vector<T>& all, std::int64_t before, std::size_t most) {
  const auto room = most - std::min(most, static_cast<std::size_t>(before));
  return std::span(all).first(std::min(all.size(), room));
}

Result<Done> write_turns(SqliteDatabase& database, const std::string& id,
                         std::span<const ReportedTurn> turns, const Before& before) {
  auto insert = database.prepare(
      "INSERT INTO session_turns (session_id, number, correlation_id, began_at, "
      "transcription_millis, response_millis) VALUES (?1, ?2, ?3, ?4, ?5, ?6)");
  if (!insert) return base::fail(insert.error());
  auto number = before.turns;
  for (const auto& turn : turns) {
    insert->bind_in_place(1, id).bind(2, number++).bind_in_place(3, turn.correlation_id);
    insert->bind(4, base::unix_millis(turn.began_at));
    bind_time(*insert, 5, turn.transcription);
    bind_time(*insert, 6, turn.response);
    if (!insert->run()) return database.trouble("keep a session's turns");
  }
  return Done{};
}

Result<Done> write_messages(SqliteDatabase& database, const std::string& id,
                            std::span<const ReportedMessage> messages, const Before& before) {
  auto insert = database.prepare(
      "INSERT INTO session_messages (session_id, number, turn, role, at, spoken_millis, "
      "is_interrupted, text) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)");
  if (!insert) return base::fail(insert.error());
  auto number = before.messages;
  for (const auto& message : messages) {
    insert->bind_in_place(1, id).bind(2, number++).bind(3, before.turns + message.turn);
    insert->bind(4, static_cast<int>(message.role)).bind(5, base::unix_millis(message.at));
    bind_time(*insert, 6, message.spoken_for);
    insert->bind(7, message.is_interrupted ? 1 : 0).bind_in_place(8, message.text);
    if (!insert->run()) return database.trouble("keep a session's messages");
  }
  return Done{};
}

Result<Done> write_tool_calls(SqliteDatabase& database, const std::string& id,
                              std::span<const ReportedToolCall> calls, const Before& before) {
  auto insert = database.prepare(
      "INSERT INTO session_tool_calls (session_id, number, turn, correlation_id, call_id, name, "
      "kind, status, started_at, completed_at, arguments, result, error) VALUES (?1, ?2, ?3, ?4, "
      "?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)");
  if (!insert) return base::fail(insert.error());
  auto number = before.tool_calls;
  for (const auto& call : calls) {
    insert->bind_in_place(1, id).bind(2, number++).bind(3, before.turns + call.turn);
    insert->bind_in_place(4, call.correlation_id).bind_in_place(5, call.call_id);
    insert->bind_in_place(6, call.name).bind(7, static_cast<int>(call.kind));
    insert->bind(8, static_cast<int>(call.status)).bind(9, base::unix_millis(call.started_at));
    bind_time(
        *insert, 10,
        call.completed_at ? std::optional(call.completed_at->time_since_epoch()) : std::nullopt);
    insert->bind_in_place(11, call.arguments).bind_in_place(12, call.result);
    if (!insert->bind_in_place(13, call.error).run())
      return database.trouble("keep a session's tool calls");
  }
  return Done{};
}

Result<Done> write_end(SqliteDatabase& database, const std::string& id, const SessionReport& report,
                       base::Instant at) {
  // Removed, or forgotten, or never begun: then nothing of it is kept.
  const auto is_there =
      has_row(database, "SELECT 1 FROM session_reports WHERE session_id = ?1", id);
  if (!is_there) return base::fail(is_there.error());
  if (!*is_there) return Done{};
  const auto before = kept_before(database, id);
  if (!before) return base::fail(before.error());
  const auto turns = fitting(report.turns, before->turns, rules::report_turns_max);
  const auto messages = fitting(report.messages, before->messages, rules::report_messages_max);
  const auto calls = fitting(report.tool_calls, before->tool_calls, rules::report_tool_calls_max);
  const bool is_cut = report.is_cut || turns.size() < report.turns.size() ||
                      messages.size() < report.messages.size() ||
                      calls.size() < report.tool_calls.size();
  for (const auto& written :
       {write_turns(database, id, turns, *before), write_messages(database, id, messages, *before),
        write_tool_calls(database, id, calls, *before)})
    if (!written) return written;
  auto update = database.prepare(
      "UPDATE session_reports SET is_whole = 1, is_cut = max(is_cut, ?2), kept_at = ?3 WHERE "
      "session_id = ?1");
  if (!update) return base::fail(update.error());
  if (!update->bind(1, id).bind(2, is_cut ? 1 : 0).bind(3, base::unix_millis(at)).run())
    return database.trouble("end a session's report");
  return Done{};
}

// Each row of a table that is the session's, in order.
template <class Each>
Result<Done> each_row(SqliteDatabase& database, const char* sql, const std::string& id, Each each) {
  auto select = database.prepare(sql);
  if (!select) return base::fail(select.error());
  select->bind(1, id);
  auto outcome = select->step();
  for (; outcome == Step::row; outcome = select->step()) each(*select);
  if (outcome == Step::failed) return database.trouble("read a session's report");
  return Done{};
}

Result<Done> read_turns(SqliteDatabase& database, const std::string& id,
                        std::vector<ReportedTurn>& turns) {
  return each_row(database,
                  "SELECT correlation_id, began_at, transcription_millis, response_millis FROM "
                  "session_turns WHERE session_id = ?1 ORDER BY number",
                  id, [&](const SqliteStatement& row) {
                    turns.push_back({.correlation_id = std::string(row.text(0)),
                                     .began_at = instant(row.integer(1)),
                                     .transcription = time_in(row, 2),
                                     .response = time_in(row, 3)});
                  });
}

Result<Done> read_messages(SqliteDatabase& database, const std::string& id,
                           std::vector<ReportedMessage>& messages) {
  return each_row(database,
                  "SELECT turn, role, at, spoken_millis, is_interrupted, text FROM "
                  "session_messages WHERE session_id = ?1 ORDER BY number",
                  id, [&](const SqliteStatement& row) {
                    messages.push_back({.turn = static_cast<int>(row.integer(0)),
                                        .role = static_cast<rules::MessageRole>(row.integer(1)),
                                        .at = instant(row.integer(2)),
                                        .spoken_for = time_in(row, 3),
                                        .is_interrupted = row.integer(4) != 0,
                                        .text = std::string(row.text(5))});
                  });
}

Result<Done> read_tool_calls(SqliteDatabase& database, const std::string& id,
                             std::vector<ReportedToolCall>& calls) {
  return each_row(
      database,
      "SELECT turn, correlation_id, call_id, name, kind, status, started_at, completed_at, "
      "arguments, result, error FROM session_tool_calls WHERE session_id = ?1 ORDER BY number",
      id, [&](const SqliteStatement& row) {
        auto& call = calls.emplace_back();
        call.turn = static_cast<int>(row.integer(0));
        call.correlation_id = row.text(1);
        call.call_id = row.text(2);
        call.name = row.text(3);
        call.kind = static_cast<rules::ToolKind>(row.integer(4));
        call.status = static_cast<ReportedToolCall::Status>(row.integer(5));
        call.started_at = instant(row.integer(6));
        if (const auto at = time_in(row, 7)) call.completed_at = base::Instant(*at);
        call.arguments = row.text(8);
        call.result = row.text(9);
        call.error = row.text(10);
      });
}

Result<Done> forget_in(SqliteDatabase& database, std::int64_t before) {
  auto forget = database.prepare(
      "DELETE FROM session_reports WHERE session_id IN (SELECT session_id FROM session_reports "
      "WHERE kept_at < ?1 LIMIT ?2)");
  if (!forget) return base::fail(forget.error());
  if (!forget->bind(1, before).bind(2, SqliteSessionReports::forgotten_at_once_max).run())
    return database.trouble("forget sessions' reports");
  return Done{};
}

Result<Done> run_for(SqliteDatabase& database, const char* sql, const std::string& id) {
  auto statement = database.prepare(sql);
  if (!statement) return base::fail(statement.error());
  if (!statement->bind(1, id).run()) return database.trouble("remove a session");
  return Done{};
}

// Whether it can be removed now.
Result<Done> check_removable(SqliteDatabase& database, const std::string& workspace_id,
                             const std::string& id) {
  auto find = database.prepare("SELECT workspace_id, ended_at FROM sessions WHERE id = ?1");
  if (!find) return base::fail(find.error());
  const auto outcome = find->bind(1, id).step();
  if (outcome == Step::failed) return database.trouble("find a session");
  const bool is_ours = outcome == Step::row && find->text(0) == workspace_id;
  const bool is_live = is_ours && find->is_null(1);
  find->reset();
  const auto removed = is_removed(database, id);
  if (!removed) return base::fail(removed.error());
  if (!is_ours || *removed)
    return base::fail(ErrorCode::not_found, "no session to remove",
                      "There is no session with this id.");
  if (is_live)
    return base::fail(ErrorCode::conflict, "a session that lives",
                      "The session is running: stop it first.");
  return Done{};
}

}  // namespace

void SqliteSessionReports::submit(Work work) {
  const auto shared = std::make_shared<Work>(std::move(work));
  const auto again = [this, shared] {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(*shared));
    if (waiting_.size() > waiting_max) waiting_.pop_front();
  };
  const bool is_taken =
      writer_.submit({.work = [shared](SqliteDatabase& database) { return (*shared)(database); },
                      .done =
                          [again](const Result<Done>& kept) {
                            if (!kept) again();
                          },
                      .may_repeat = true});
  if (!is_taken) again();
}

void SqliteSessionReports::begin(std::string_view session_id, rules::SessionFacts facts,
                                 base::Instant at) {
  if (options_.kept_for.count() == 0) return;
  submit([id = std::string(session_id), facts = std::move(facts), at](SqliteDatabase& database) {
    return write_begin(database, id, facts, at);
  });
}

void SqliteSessionReports::end(std::string_view session_id, SessionReport report,
                               base::Instant at) {
  if (options_.kept_for.count() == 0) return;
  submit([id = std::string(session_id), report = std::make_shared<SessionReport>(std::move(report)),
          at](SqliteDatabase& database) { return write_end(database, id, *report, at); });
}

Result<SessionReport> SqliteSessionReports::find(const std::string& session_id) {
  std::optional<SessionReport> found;
  auto done = readers_.read([&](SqliteDatabase& database) -> Result<Done> {
    if (auto begun = database.execute("BEGIN"); !begun) return begun;
    auto find = database.prepare(
        "SELECT is_cut FROM session_reports WHERE session_id = ?1 AND is_whole = 1");
    if (!find) return base::fail(find.error());
    const auto outcome = find->bind(1, session_id).step();
    if (outcome == Step::failed) return database.trouble("find a session's report");
    if (outcome == Step::end) return Done{};
    auto& report = found.emplace();
    report.is_cut = find->integer(0) != 0;
    find->reset();
    for (const auto& read : {read_turns(database, session_id, report.turns),
                             read_messages(database, session_id, report.messages),
                             read_tool_calls(database, session_id, report.tool_calls)})
      if (!read) return read;
    return Done{};
  });
  if (!done) return base::fail(done.error());
  if (found) return *std::move(found);
  return base::fail(ErrorCode::not_found, "no report",
                    "There is no report of this session: it is not over, it was no live face, or "
                    "the report is older than they are kept.");
}

Result<std::vector<std::vector<ReportedTurn>>> SqliteSessionReports::turns_of(
    std::span<const std::string> session_ids) {
  std::vector<std::vector<ReportedTurn>> all(session_ids.size());
  auto done = readers_.read([&](SqliteDatabase& database) -> Result<Done> {
    for (std::size_t at = 0; at < session_ids.size(); ++at)
      if (auto read = read_turns(database, session_ids[at], all[at]); !read) return read;
    return Done{};
  });
  if (!done) return base::fail(done.error());
  return all;
}

Result<Done> SqliteSessionReports::remove(const std::string& workspace_id,
                                          const std::string& session_id,
                                          const rules::AuditEntry& entry) {
  return writer_.run_quietly([&](SqliteDatabase& database) -> Result<Done> {
    if (auto may = check_removable(database, workspace_id, session_id); !may) return may;
    auto mark =
        database.prepare("INSERT INTO removed_sessions (session_id, removed_at) VALUES (?1, ?2)");
    if (!mark) return base::fail(mark.error());
    if (!mark->bind(1, session_id).bind(2, base::unix_millis(entry.at)).run())
      return database.trouble("remove a session");
    for (const auto& removed :
         {run_for(database, "DELETE FROM session_reports WHERE session_id = ?1", session_id),
          run_for(database, "UPDATE sessions SET peer = '', end_user_id = '' WHERE id = ?1",
                  session_id)})
      if (!removed) return removed;
    return audit_.append(database, entry);
  });
}

void SqliteSessionReports::look_after(base::Instant now) {
  std::deque<Work> again;
  {
    const std::lock_guard lock(mutex_);
    again.swap(waiting_);
  }
  for (auto& work : again) submit(std::move(work));
  const auto before = base::unix_millis(now - options_.kept_for);
  (void)writer_.submit(
      {.work = [before](SqliteDatabase& database) { return forget_in(database, before); },
       .done = [](const Result<Done>&) {},
       .may_repeat = true});
}

}  // namespace stagedoor::store
