#include "store/sqlite_audit_trail.h"

#include <algorithm>
#include <limits>

#include "base/text.h"
#include "rules/api_key.h"
#include "store/sqlite_audit_log.h"

namespace stagedoor::store {
namespace {

using rules::AuditOrder;
using Step = SqliteStatement::Step;

constexpr std::string_view columns =
    "SELECT number, at, workspace_id, actor, action, subject, outcome, peer, request_id, detail, "
    "seal FROM audit_log ";

rules::AuditEntry entry_of(const SqliteStatement& row) {
  rules::AuditEntry entry;
  entry.at = base::Instant(std::chrono::milliseconds(row.integer(1)));
  entry.workspace_id = row.text(2);
  entry.actor = row.text(3);
  entry.action = row.text(4);
  entry.subject = row.text(5);
  entry.outcome = static_cast<rules::AuditOutcome>(row.integer(6));
  entry.peer = row.text(7);
  entry.request_id = row.text(8);
  entry.detail = row.text(9);
  return entry;
}

// Whether an entry is of an app: asked of the store, key by key and session by session.
class OfApp {
 public:
  static base::Result<OfApp> make(SqliteDatabase& database,
                                  const rules::AuditQuery::OfApp& wanted) {
    auto key = database.prepare(
        "SELECT 1 FROM api_keys WHERE id = ?1 AND app_id = ?2 AND environment = ?3");
    if (!key) return base::fail(key.error());
    auto session = database.prepare(
        "SELECT 1 FROM sessions WHERE id = ?1 AND app_id = ?2 AND environment = ?3");
    if (!session) return base::fail(session.error());
    return OfApp(wanted, *std::move(key), *std::move(session));
  }
  bool operator()(const rules::AuditEntry& entry) {
    // All keys of an app are rotated for one environment, which is the first word of the detail.
    if (entry.action == "app.rotate_keys" && entry.subject == wanted_.app_id)
      return entry.detail.starts_with(rules::name_of(wanted_.environment));
    // The token tells nothing of whose it is, so the detail begins with it.
    if (entry.action == name_of(rules::AuditAction::session_token_suspect_theft))
      return entry.detail.starts_with(rules::place_text(wanted_.app_id, wanted_.environment) + ",");
    return entry.subject == wanted_.app_id || is_key(entry.actor) || is_key(entry.subject) ||
           is_session(entry);
  }

 private:
  OfApp(const rules::AuditQuery::OfApp& wanted, SqliteStatement key, SqliteStatement session)
      : wanted_(wanted), key_(std::move(key)), session_(std::move(session)) {}

  bool is_key(std::string_view text) {
    const auto id = rules::parse_api_key_id(text);
    if (!id) return false;
    key_.bind(1, static_cast<std::int64_t>(*id));
    return is_there(key_);
  }
  // What the server itself or a person did to one: its end, its removal.
  bool is_session(const rules::AuditEntry& entry) {
    if (!entry.action.starts_with("session.") && !entry.action.starts_with("live_session."))
      return false;
    session_.bind(1, entry.subject);
    return is_there(session_);
  }
  bool is_there(SqliteStatement& find) {
    find.bind(2, wanted_.app_id).bind(3, static_cast<std::int64_t>(wanted_.environment));
    const bool found = find.step() == Step::row;
    find.reset();
    return found;
  }

  const rules::AuditQuery::OfApp& wanted_;
  SqliteStatement key_, session_;
};

// Where a walk from the oldest on ends.
base::Result<std::int64_t> end_of(SqliteDatabase& database, const rules::AuditQuery& query) {
  if (query.order == AuditOrder::newest_first) return 0;
  if (query.last != 0) return query.last;
  const auto head = read_audit_head(database);
  if (!head) return base::fail(head.error());
  return head->checkpoint.number;
}

std::string selection(const rules::AuditQuery& query) {
  const bool is_newest_first = query.order == AuditOrder::newest_first;
  std::string sql(columns);
  sql += is_newest_first ? "WHERE number < ?1" : "WHERE number > ?1 AND number <= ?3";
  if (query.workspace_id) sql += " AND workspace_id = ?2";
  sql += is_newest_first ? " ORDER BY number DESC" : " ORDER BY number";
  return sql;
}

base::Result<base::Done> read_page(SqliteDatabase& database, const rules::AuditQuery& query,
                                   rules::AuditPage& page) {
  auto select = database.prepare(selection(query));
  if (!select) return database.trouble("read the audit log");
  std::optional<OfApp> of_app;
  if (query.of_app) {
    auto made = OfApp::make(database, *query.of_app);
    if (!made) return base::fail(made.error());
    of_app.emplace(*std::move(made));
  }
  const bool from_the_newest = query.order == AuditOrder::newest_first && query.beyond == 0;
  select->bind(1, from_the_newest ? std::numeric_limits<std::int64_t>::max() : query.beyond);
  if (query.workspace_id) select->bind(2, *query.workspace_id);
  const auto end = end_of(database, query);
  if (!end) return base::fail(end.error());
  page.last = *end;
  if (query.order == AuditOrder::oldest_first) select->bind(3, page.last);
  std::int64_t last = 0;
  auto outcome = select->step();
  for (int looked_at = 0; outcome == Step::row; outcome = select->step()) {
    // There is more: the next page begins after what was looked at last.
    if (page.entries.size() >= query.count_max || looked_at++ >= SqliteAuditTrail::looked_at_max) {
      page.beyond = last;
      return base::Done{};
    }
    last = select->integer(0);
    auto entry = entry_of(*select);
    if (!rules::is_meant(query, entry) || (of_app && !(*of_app)(entry))) continue;
    rules::KeptAuditEntry kept{.number = last, .entry = std::move(entry), .seal = {}};
    const auto seal = select->blob(10);
    std::ranges::copy(seal.first(std::min(seal.size(), kept.seal.size())), kept.seal.begin());
    page.entries.push_back(std::move(kept));
  }
  if (outcome == Step::failed) return database.trouble("read the audit log");
  return base::Done{};
}

base::Result<base::Done> walk_along(SqliteDatabase& database, rules::AuditWalk& walk) {
  auto select =
      database.prepare(std::string(columns) + "WHERE number > ?1 OR ?1 = 0 ORDER BY number");
  if (!select) return base::fail(select.error());
  select->bind(1, walk.at().number);
  auto outcome = select->step();
  for (; outcome == Step::row; outcome = select->step()) {
    auto step = walk.step(select->integer(0), entry_of(*select), base::as_text(select->blob(10)));
    if (!step) return step;
  }
  if (outcome == Step::failed) return database.trouble("read the audit log");
  return base::Done{};
}

}  // namespace

base::Result<rules::AuditPage> SqliteAuditTrail::read(const rules::AuditQuery& query) const {
  rules::AuditPage page;
  const auto done =
      readers_.read([&](SqliteDatabase& database) { return read_page(database, query, page); });
  if (!done) return base::fail(done.error());
  return page;
}

base::Result<rules::AuditCheckpoint> SqliteAuditTrail::newest(
    const rules::AuditSealer& sealer) const {
  rules::AuditCheckpoint newest;
  const auto done = readers_.read([&](SqliteDatabase& database) -> base::Result<base::Done> {
    const auto head = read_audit_head(database);
    if (!head) return base::fail(head.error());
    newest = head->checkpoint;
    return rules::AuditWalk(sealer, newest, {}).end(newest, base::as_text(head->proof));
  });
  if (!done) return base::fail(done.error());
  return newest;
}

base::Result<rules::AuditCheckpoint> SqliteAuditTrail::verify(
    const rules::AuditSealer& sealer, const rules::AuditCheckpoint& begin,
    const std::optional<rules::AuditCheckpoint>& expected) const {
  rules::AuditWalk walk(sealer, begin, expected);
  const auto done = readers_.read([&](SqliteDatabase& database) -> base::Result<base::Done> {
    // One moment for the entries and the end, also while a server writes.
    if (auto begun = database.execute("BEGIN"); !begun) return begun;
    if (auto walked = walk_along(database, walk); !walked) return walked;
    const auto head = read_audit_head(database);
    if (!head) return base::fail(head.error());
    return walk.end(head->checkpoint, base::as_text(head->proof));
  });
  if (!done) return base::fail(done.error());
  return walk.at();
}

}  // namespace stagedoor::store
