#include "store/sqlite_session_records.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "rules/absent.h"
#include "rules/session_token.h"

namespace stagedoor::store {
namespace {

using Step = SqliteStatement::Step;

// The last column may be long, and is read only where it is wanted.
constexpr int token_id_column = 5, removed_column = 15, persona_id_column = 16, persona_column = 22;
constexpr const char* rows =
    "SELECT s.id, s.workspace_id, s.app_id, s.environment, s.api_key_id, s.token_id, "
    "s.end_user_id, s.avatar_id, s.dialect, s.peer, s.connections, s.began_at, s.last_seen_at, "
    "s.ended_at, s.end_reason, x.session_id, r.persona_id, r.persona_name, r.kind, r.client_label, "
    "r.client_metadata, r.keeps_transcript, r.persona FROM sessions s "
    "LEFT JOIN removed_sessions x ON x.session_id = s.id "
    "LEFT JOIN session_reports r ON r.session_id = s.id ";

base::Instant instant(std::int64_t millis) {
  return base::Instant(std::chrono::milliseconds(millis));
}

std::string token_id_of(std::span<const std::uint8_t> bytes) {
  rules::SessionTokenId id{};
  std::ranges::copy(bytes.first(std::min(bytes.size(), id.size())), id.begin());
  return rules::text_of(id);
}

// All but what the persona is.
std::optional<rules::SessionFacts> facts_of(const SqliteStatement& row) {
  if (row.is_null(persona_id_column)) return std::nullopt;
  rules::SessionFacts facts;
  facts.persona_id = row.text(persona_id_column);
  facts.persona_name = row.text(17);
  facts.kind = static_cast<rules::SessionKind>(row.integer(18));
  facts.client_label = row.text(19);
  facts.client_metadata = row.text(20);
  facts.keeps_transcript = row.integer(21) != 0;
  return facts;
}

// All but what the persona is and the token's id, into a record whose memory is used again:
// thousands are looked at for one page.
void read_record(const SqliteStatement& row, rules::SessionRecord& record) {
  record.id = row.text(0);
  record.workspace_id = row.text(1);
  record.app_id = row.text(2);
  record.environment = static_cast<rules::Environment>(row.integer(3));
  record.api_key_id = static_cast<std::uint64_t>(row.integer(4));
  record.end_user_id = row.text(6);
  record.avatar_id = row.text(7);
  record.dialect = row.text(8);
  record.peer = row.text(9);
  record.connections = static_cast<int>(row.integer(10));
  record.began_at = instant(row.integer(11));
  record.last_seen_at = instant(row.integer(12));
  record.ended_at.reset();
  if (!row.is_null(13)) record.ended_at = instant(row.integer(13));
  record.end_reason = row.text(14);
  record.facts = facts_of(row);
}

// Where a page ended: when its last session began, and its id.
struct Mark {
  std::int64_t began_at = 0;
  std::string id;
};
std::string text_of(const Mark& mark) {
  return std::to_string(mark.began_at) + "." + mark.id;
}
base::Result<std::optional<Mark>> parse_mark(const std::string& text) {
  if (text.empty()) return std::nullopt;
  Mark mark;
  const auto* const end = text.data() + text.size();
  const auto [after, error] = std::from_chars(text.data(), end, mark.began_at);
  if (error != std::errc() || after == end || *after != '.')
    return base::fail(base::ErrorCode::malformed, "a cursor of no page",
                      "`cursor` must be what the page before gave as next.");
  mark.id.assign(after + 1, end);
  return mark;
}

// The sessions that may be meant, newest first, by one of the two indexes that lead that way.
base::Result<SqliteStatement> select_of(SqliteDatabase& database, const rules::SessionQuery& query,
                                        const std::optional<Mark>& mark) {
  std::string sql(rows);
  sql += query.app_id.empty() ? "WHERE s.workspace_id = ?1" : "WHERE s.app_id = ?1";
  if (query.began_from) sql += " AND s.began_at >= ?2";
  if (query.began_before) sql += " AND s.began_at < ?3";
  if (mark)
    sql +=
        " AND (s.began_at, s.number, s.id) < (?4, (SELECT number FROM sessions WHERE id = ?5), ?5)";
  auto select = database.prepare(sql + " ORDER BY s.began_at DESC, s.number DESC, s.id DESC");
  if (!select) return select;
  select->bind(1, query.app_id.empty() ? query.workspace_id : query.app_id);
  if (query.began_from) select->bind(2, base::unix_millis(*query.began_from));
  if (query.began_before) select->bind(3, base::unix_millis(*query.began_before));
  if (mark) select->bind(4, mark->began_at).bind(5, mark->id);
  return select;
}

// Puts sessions into a page, and what their personas are while there is room for it.
class PageMaker {
 public:
  explicit PageMaker(rules::SessionPage& page) : page_(page) {}
  void add(const SqliteStatement& row, rules::SessionRecord record) {
    record.token_id = token_id_of(row.blob(token_id_column));
    if (record.facts) {
      const auto persona = row.text(persona_column);
      if (persona.size() <= room_) {
        room_ -= persona.size();
        record.facts->persona = persona;
      }
    }
    page_.sessions.push_back(std::move(record));
  }

 private:
  rules::SessionPage& page_;
  std::size_t room_ = rules::listed_persona_bytes_max;
};

base::Result<base::Done> read_page(SqliteDatabase& database, const rules::SessionQuery& query,
                                   const std::optional<Mark>& mark, rules::SessionPage& page) {
  auto select = select_of(database, query, mark);
  if (!select) return base::fail(select.error());
  PageMaker maker(page);
  Mark last;
  rules::SessionRecord record;
  auto outcome = select->step();
  for (int looked_at = 0; outcome == Step::row; outcome = select->step()) {
    if (page.sessions.size() >= query.count_max ||
        looked_at++ >= SqliteSessionRecords::looked_at_max) {
      page.beyond = text_of(last);
      return base::Done{};
    }
    read_record(*select, record);
    last.began_at = base::unix_millis(record.began_at);
    last.id = record.id;
    if (select->is_null(removed_column) && rules::is_meant(query, record))
      maker.add(*select, record);
  }
  if (outcome == Step::failed) return database.trouble("read the ledger of sessions");
  return base::Done{};
}

base::Result<base::Done> read_numbered(SqliteDatabase& database, const rules::SessionQuery& query,
                                       std::size_t skip, rules::SessionPage& page) {
  auto select = select_of(database, query, std::nullopt);
  if (!select) return base::fail(select.error());
  PageMaker maker(page);
  Mark last;  // up to which a page is made
  rules::SessionRecord record;
  auto outcome = select->step();
  for (int looked_at = 0; outcome == Step::row && looked_at < SqliteSessionRecords::looked_at_max;
       ++looked_at) {
    read_record(*select, record);
    const bool is_meant = select->is_null(removed_column) && rules::is_meant(query, record);
    const bool is_full = page.sessions.size() >= query.count_max;
    if (!is_full) last = {.began_at = base::unix_millis(record.began_at), .id = record.id};
    if (is_meant && is_full && page.beyond.empty()) page.beyond = text_of(last);
    if (is_meant && !is_full && page.total >= skip) maker.add(*select, record);
    page.total += is_meant ? 1 : 0;
    outcome = select->step();
  }
  if (outcome == Step::failed) return database.trouble("read the ledger of sessions");
  if (outcome == Step::row) page.beyond = text_of(last);
  return base::Done{};
}

}  // namespace

base::Result<rules::SessionPage> SqliteSessionRecords::list(
    const rules::SessionQuery& query) const {
  const auto mark = parse_mark(query.beyond);
  if (!mark) return base::fail(mark.error());
  rules::SessionPage page;
  const auto done = readers_.read(
      [&](SqliteDatabase& database) { return read_page(database, query, *mark, page); });
  if (!done) return base::fail(done.error());
  return page;
}

base::Result<rules::SessionPage> SqliteSessionRecords::numbered(const rules::SessionQuery& query,
                                                                std::size_t skip) const {
  rules::SessionPage page;
  const auto done = readers_.read(
      [&](SqliteDatabase& database) { return read_numbered(database, query, skip, page); });
  if (!done) return base::fail(done.error());
  return page;
}

base::Result<rules::SessionRecord> SqliteSessionRecords::find(const rules::SessionQuery& query,
                                                              const std::string& id) const {
  std::optional<rules::SessionRecord> found;
  const auto done = readers_.read([&](SqliteDatabase& database) -> base::Result<base::Done> {
    auto select = database.prepare(std::string(rows) + "WHERE s.id = ?1");
    if (!select) return base::fail(select.error());
    const auto outcome = select->bind(1, id).step();
    if (outcome == Step::failed) return database.trouble("read a session");
    if (outcome != Step::row || !select->is_null(removed_column)) return base::Done{};
    read_record(*select, found.emplace());
    found->token_id = token_id_of(select->blob(token_id_column));
    if (found->facts) found->facts->persona = select->text(persona_column);
    return base::Done{};
  });
  if (!done) return base::fail(done.error());
  if (found && rules::is_meant(query, *found)) return *std::move(found);
  return base::fail(base::ErrorCode::not_found, "no session to show",
                    query.environment ? rules::absent("session", *query.environment)
                                      : "There is no session with this id.");
}

}  // namespace stagedoor::store
