#include "store/sqlite_usage.h"

#include <array>
#include <chrono>

namespace stagedoor::store {
namespace {

using rules::UsageOf;
using rules::UsagePeriod;
using rules::UsageQuery;
using Step = SqliteStatement::Step;

// The beginning of the period that `seconds`, an SQL expression, lies in.
std::string period_of(UsagePeriod period, const std::string& seconds) {
  switch (period) {
    case UsagePeriod::hour:
      return "(" + seconds + ") / 3600 * 3600";
    case UsagePeriod::day:
      return "(" + seconds + ") / 86400 * 86400";
    case UsagePeriod::month:
      return "CAST(strftime('%s', " + seconds + ", 'unixepoch', 'start of month') AS INTEGER)";
  }
  std::unreachable();
}

std::string key_text(const std::string& column) {
  return "iif(" + column + " = 0, '', 'key_' || printf('%016x', " + column + "))";
}

std::string calls_of(UsageOf what, UsagePeriod by) {
  const auto who = what == UsageOf::keys ? key_text("k.id") : "''";
  return "SELECT " + period_of(by, "h.hour * 3600") +
         " AS period, k.app_id AS app, k.environment AS environment, " + who +
         " AS who, h.calls AS calls, h.refusals AS refusals, 0 AS sessions, 0 AS seconds "
         "FROM api_key_hours h JOIN api_keys k ON k.id = h.api_key_id "
         "WHERE h.hour >= ?3 / 3600 AND h.hour < ?4 / 3600 AND k.app_id IN wanted";
}

std::string sessions_of(UsageOf what, UsagePeriod by) {
  const std::string who = what == UsageOf::keys        ? key_text("api_key_id")
                          : what == UsageOf::end_users ? "end_user_id"
                                                       : "''";
  return "SELECT " + period_of(by, "began_at / 1000") + " AS period, app_id AS app, environment, " +
         who +
         " AS who, 0 AS calls, 0 AS refusals, 1 AS sessions, "
         "(ifnull(ended_at, last_seen_at) - began_at + 999) / 1000 AS seconds "
         "FROM sessions WHERE app_id IN wanted AND began_at >= ?3 * 1000 AND began_at < ?4 * 1000";
}

// ?1 workspace, ?2 app or "", ?3 and ?4 the time in seconds, ?5 environment or -1, ?6 how many,
// ?7 to ?10 the cursor.
std::string selection(UsageOf what, UsagePeriod by) {
  auto rows = sessions_of(what, by);
  if (what != UsageOf::end_users) rows = calls_of(what, by) + " UNION ALL " + rows;
  return "WITH wanted AS (SELECT id FROM apps WHERE workspace_id = ?1 AND (?2 = '' OR id = ?2)) "
         "SELECT period, app, environment, who, sum(calls), sum(refusals), sum(sessions), "
         "sum(seconds) FROM (" +
         rows +
         ") WHERE (?5 = -1 OR environment = ?5) AND (period, app, environment, who) > (?7, ?8, ?9, "
         "?10) GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4 LIMIT ?6";
}

base::Result<base::Done> read_rows(SqliteDatabase& database, UsageOf what, const UsageQuery& query,
                                   rules::UsagePage& page) {
  auto select = database.prepare(selection(what, query.by));
  if (!select) return base::fail(select.error());
  const auto beyond = query.beyond.value_or(
      rules::UsageCursor{.period_seconds = -1, .app_id = {}, .environment = 0, .who = {}});
  select->bind(1, query.workspace_id).bind(2, query.app_id);
  select->bind(3, base::unix_seconds(query.from)).bind(4, base::unix_seconds(query.until));
  select->bind(5, query.environment ? static_cast<std::int64_t>(*query.environment) : -1);
  select->bind(6, static_cast<std::int64_t>(query.count_max) + 1);
  select->bind(7, beyond.period_seconds).bind(8, beyond.app_id);
  select->bind(9, beyond.environment).bind(10, beyond.who);
  auto outcome = select->step();
  for (; outcome == Step::row; outcome = select->step()) {
    if (page.rows.size() == query.count_max) {
      page.has_more = true;
      return base::Done{};
    }
    rules::UsageRow row;
    row.period_at = base::from_unix_seconds(select->integer(0));
    row.app_id = select->text(1);
    row.environment = static_cast<rules::Environment>(select->integer(2));
    row.who = select->text(3);
    row.calls = select->integer(4);
    row.refusals = select->integer(5);
    row.sessions = select->integer(6);
    row.seconds = select->integer(7);
    page.rows.push_back(std::move(row));
  }
  if (outcome == Step::failed) return database.trouble("read usage");
  return base::Done{};
}

// Each query gives a session's id and what to say of it.
struct Comparison {
  std::string_view sql;
  std::string_view says;
};
constexpr std::array<Comparison, 7> comparisons = {{
    {"SELECT s.id, count(a.number) FROM sessions s LEFT JOIN audit_log a ON a.subject = s.id AND "
     "a.action = 'session.begin' GROUP BY s.id HAVING count(a.number) <> 1",
     "stands in the ledger, but the audit log does not tell its beginning exactly once"},
    {"SELECT DISTINCT a.subject FROM audit_log a WHERE a.action IN ('session.begin', "
     "'session.resume', 'session.end') AND NOT EXISTS (SELECT 1 FROM sessions WHERE id = "
     "a.subject)",
     "is told by the audit log, but does not stand in the ledger"},
    {"SELECT s.id FROM audit_log a JOIN sessions s ON s.id = a.subject WHERE a.action = "
     "'session.begin' AND a.at <> s.began_at",
     "began at another time than the audit log tells"},
    {"SELECT s.id FROM audit_log a JOIN sessions s ON s.id = a.subject WHERE a.action = "
     "'session.begin' AND s.api_key_id <> 0 AND a.actor <> 'key_' || printf('%016x', "
     "s.api_key_id)",
     "rests on another key than the audit log tells"},
    {"SELECT s.id FROM audit_log a JOIN sessions s ON s.id = a.subject WHERE a.action = "
     "'session.begin' AND (a.workspace_id <> s.workspace_id OR a.detail <> s.app_id || ', ' || "
     "iif(s.environment = 0, 'live', 'test'))",
     "is of another app, environment or workspace than the audit log tells"},
    // A client that comes back opens the session again; it may end once more.
    {"SELECT s.id FROM sessions s LEFT JOIN audit_log a ON a.subject = s.id AND a.action IN "
     "('session.resume', 'session.end') GROUP BY s.id HAVING total(a.action = 'session.end') > 1 + "
     "total(a.action = 'session.resume') OR (s.ended_at IS NOT NULL) <> "
     "(ifnull(max(iif(a.action = 'session.end', a.number, 0)), 0) > "
     "ifnull(max(iif(a.action = 'session.resume', a.number, 0)), 0))",
     "has ended by one of the two and lives by the other, or has ended too often"},
    // The columns are those of the row with the greatest number.
    {"SELECT id FROM (SELECT s.id AS id, max(a.number), a.detail AS told, s.end_reason || ', ' || "
     "(s.ended_at - s.began_at) || ' ms' AS kept FROM audit_log a JOIN sessions s ON s.id = "
     "a.subject WHERE a.action = 'session.end' AND s.ended_at IS NOT NULL GROUP BY s.id) WHERE "
     "told <> kept",
     "ended for another reason or lasted for another time than the audit log tells"},
}};

base::Result<std::int64_t> count_sessions(SqliteDatabase& database) {
  auto read = database.prepare("SELECT count(*) FROM sessions");
  if (!read) return base::fail(read.error());
  if (read->step() != Step::row) return database.trouble("count the sessions");
  return read->integer(0);
}

}  // namespace

base::Result<rules::UsagePage> SqliteUsage::read(UsageOf what, const UsageQuery& query) const {
  rules::UsagePage page;
  const auto done = readers_.read(
      [&](SqliteDatabase& database) { return read_rows(database, what, query, page); });
  if (!done) return base::fail(done.error());
  return page;
}

base::Result<SqliteUsage::Agreement> SqliteUsage::reconcile(
    const std::function<void(const std::string&)>& tell) const {
  Agreement agreement;
  const auto done = readers_.read([&](SqliteDatabase& database) -> base::Result<base::Done> {
    if (auto begun = database.execute("BEGIN"); !begun) return begun;
    const auto sessions = count_sessions(database);
    if (!sessions) return base::fail(sessions.error());
    agreement.sessions = *sessions;
    for (const auto& comparison : comparisons) {
      auto select = database.prepare(comparison.sql);
      if (!select) return base::fail(select.error());
      auto outcome = select->step();
      for (; outcome == Step::row; outcome = select->step()) {
        ++agreement.mismatches;
        tell("Session " + std::string(select->text(0)) + " " + std::string(comparison.says) + ".");
      }
      if (outcome == Step::failed) return database.trouble("compare the ledger");
    }
    return base::Done{};
  });
  if (!done) return base::fail(done.error());
  return agreement;
}

}  // namespace stagedoor::store
