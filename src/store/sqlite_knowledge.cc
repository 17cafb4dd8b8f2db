#include "store/sqlite_knowledge.h"

#include <optional>
#include <utility>

#include "store/list_number.h"
#include "store/scope_row.h"

namespace stagedoor::store {
namespace {

using base::Done;
using base::ErrorCode;
using base::Result;
using rules::Document;
using rules::ItemScope;
using Step = SqliteStatement::Step;

constexpr std::string_view columns =
    "id, group_id, workspace_id, environment, filename, type, bytes, created_at, updated_at";
// FTS5 gives a score as a fraction, and a statement here reads whole numbers.
constexpr double score_parts = 1e6;

Document document_of(const SqliteStatement& row) {
  const auto instant = [&](int column) {
    return base::Instant(std::chrono::milliseconds(row.integer(column)));
  };
  return {.id = std::string(row.text(0)),
          .group_id = std::string(row.text(1)),
          .scope = {.workspace_id = std::string(row.text(2)),
                    .environment = static_cast<rules::Environment>(row.integer(3))},
          .filename = std::string(row.text(4)),
          .type = std::string(row.text(5)),
          .bytes = row.integer(6),
          .created_at = instant(7),
          .updated_at = instant(8)};
}

std::unexpected<base::Error> no_document() {
  return base::fail(ErrorCode::not_found, "no such document", "There is no document with this id.");
}

// Rule knowledge-of-one-workspace: the documents that are found in a scope, as bind_scope binds it.
std::string documents_in_scope() {
  return " FROM documents WHERE group_id IN (SELECT id FROM catalog_items WHERE kind = 2 AND " +
         in_scope() + ")";
}

// A statement over one document or group, ?1, of a scope.
Result<SqliteStatement> prepare_for(SqliteDatabase& database, const std::string& sql,
                                    std::string_view id, const ItemScope& scope) {
  auto statement = database.prepare(sql);
  if (statement) bind_scope(statement->bind(1, id), scope);
  return statement;
}

Result<Document> find_in(SqliteDatabase& database, const ItemScope& scope, std::string_view id) {
  auto read = prepare_for(database,
                          "SELECT " + std::string(columns) + documents_in_scope() + " AND id = ?1",
                          id, scope);
  if (!read) return base::fail(read.error());
  const auto step = read->step();
  if (step == Step::failed) return database.trouble("find a document");
  if (step == Step::end) return no_document();
  return document_of(*read);
}

Result<std::int64_t> number_of(SqliteDatabase& database, Result<SqliteStatement> read) {
  if (!read) return base::fail(read.error());
  if (read->step() != Step::row) return database.trouble("count documents");
  return read->integer(0);
}

Result<std::int64_t> count_in(SqliteDatabase& database, const ItemScope& scope,
                              std::string_view group_id) {
  return number_of(
      database,
      prepare_for(database, "SELECT count(*)" + documents_in_scope() + " AND group_id = ?1",
                  group_id, scope));
}

Result<Done> check_room(SqliteDatabase& database, const Document& document) {
  const auto group = number_of(
      database,
      prepare_for(database,
                  "SELECT count(*) FROM catalog_items WHERE id = ?1 AND kind = 2 AND " + in_scope(),
                  document.group_id, document.scope));
  if (!group) return base::fail(group.error());
  if (*group == 0)
    return base::fail(ErrorCode::not_found, "no such knowledge group",
                      "There is no knowledge group with this id.");
  const auto documents = count_in(database, document.scope, document.group_id);
  if (!documents) return base::fail(documents.error());
  if (static_cast<std::size_t>(*documents) >= rules::documents_of_group_max)
    return base::fail(ErrorCode::conflict, "a full knowledge group",
                      "A group has at most 1000 documents; take one away first.");
  const auto taken = taken_room(
      database,
      "SELECT ifnull(sum(d.bytes), 0), ifnull(sum(d.bytes) FILTER (WHERE g.app_id = ?4), 0) FROM "
      "documents d JOIN catalog_items g ON g.id = d.group_id WHERE d.workspace_id = ?2 AND "
      "d.environment = ?3",
      document.scope);
  if (!taken) return base::fail(taken.error());
  if (!rules::has_room(*taken, document.bytes, rules::knowledge_bytes_of_workspace_max))
    return base::fail(ErrorCode::conflict, "a workspace full of documents",
                      "The documents of a workspace have at most 256 MiB together, of live or test "
                      "data, and those in the groups of one app half of it.");
  return Done{};
}

Result<Done> insert_passages(SqliteDatabase& database, const Document& document,
                             const std::vector<std::string_view>& passages) {
  auto insert = database.prepare(
      "INSERT INTO passages (document_id, group_id, number, content) VALUES (?1, ?2, ?3, ?4)");
  auto words = database.prepare(
      "INSERT INTO passage_words (rowid, group_id, content) VALUES (last_insert_rowid(), ?1, ?2)");
  if (!insert || !words) return database.trouble("prepare for passages");
  std::int64_t number = 0;
  for (const auto passage : passages) {
    insert->bind(1, document.id).bind(2, document.group_id).bind(3, number++);
    if (!insert->bind(4, passage).run() ||
        !words->bind(1, document.group_id).bind(2, passage).run())
      return database.trouble("add a passage");
  }
  return Done{};
}

// A text of FTS5's query language; what is quoted in it is words and nothing else.
void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text)
    if (c != '"') out += c;
  out += '"';
}

std::string match_of(const rules::Knowledge::Query& query) {
  std::string match = "(";
  for (const auto& id : query.group_ids) {
    if (match.size() > 1) match += " OR ";
    match += "group_id : ";
    append_quoted(match, id);
  }
  match += ") AND (";
  bool is_first = true;
  for (const auto& word : query.words) {
    if (!std::exchange(is_first, false)) match += " OR ";
    match += "content : ";
    append_quoted(match, word);
  }
  return match + ")";
}

}  // namespace

Result<std::vector<Document>> SqliteKnowledge::list(const ItemScope& scope,
                                                    std::string_view group_id) {
  std::vector<Document> documents;
  auto done = readers_.read([&](SqliteDatabase& database) -> Result<Done> {
    auto read = prepare_for(database,
                            "SELECT " + std::string(columns) + documents_in_scope() +
                                " AND group_id = ?1 ORDER BY number DESC",
                            group_id, scope);
    if (!read) return base::fail(read.error());
    auto step = read->step();
    for (; step == Step::row; step = read->step()) documents.push_back(document_of(*read));
    if (step == Step::failed) return database.trouble("list documents");
    return Done{};
  });
  if (!done) return base::fail(done.error());
  return documents;
}

Result<std::int64_t> SqliteKnowledge::count(const ItemScope& scope, std::string_view group_id) {
  return readers_.read_value<std::int64_t>(
      [&](SqliteDatabase& database) { return count_in(database, scope, group_id); });
}

Result<Document> SqliteKnowledge::find(const ItemScope& scope, std::string_view id) {
  return readers_.read_value<Document>(
      [&](SqliteDatabase& database) { return find_in(database, scope, id); });
}

Result<std::string> SqliteKnowledge::content(const ItemScope& scope, std::string_view id) {
  std::string content;
  auto done = readers_.read([&](SqliteDatabase& database) -> Result<Done> {
    auto read =
        prepare_for(database, "SELECT content" + documents_in_scope() + " AND id = ?1", id, scope);
    if (!read) return base::fail(read.error());
    const auto step = read->step();
    if (step == Step::failed) return database.trouble("read a document");
    if (step == Step::end) return no_document();
    content = read->text(0);
    return Done{};
  });
  if (!done) return base::fail(done.error());
  return content;
}

Result<std::vector<rules::Passage>> SqliteKnowledge::search(const ItemScope& scope,
                                                            const Query& query) {
  std::vector<rules::Passage> passages;
  if (query.words.empty() || query.group_ids.empty()) return passages;
  auto done = readers_.read([&](SqliteDatabase& database) -> Result<Done> {
    // Of the two columns only the text counts for the score.
    auto read = prepare_for(
        database,
        "SELECT d.id, d.filename, p.content, p.number, "
        "CAST(-bm25(passage_words, 0.0, 1.0) * 1000000 AS INTEGER) FROM passage_words "
        "JOIN passages p ON p.id = passage_words.rowid JOIN documents d ON d.id = p.document_id "
        "JOIN catalog_items g ON g.id = d.group_id WHERE passage_words MATCH ?1 AND " +
            in_scope("g.") + " ORDER BY bm25(passage_words, 0.0, 1.0) LIMIT ?5",
        match_of(query), scope);
    if (!read) return base::fail(read.error());
    read->bind(5, static_cast<std::int64_t>(query.count));
    auto step = read->step();
    for (; step == Step::row; step = read->step())
      passages.push_back({.document_id = std::string(read->text(0)),
                          .filename = std::string(read->text(1)),
                          .content = std::string(read->text(2)),
                          .number = read->integer(3),
                          .score = static_cast<double>(read->integer(4)) / score_parts});
    if (step == Step::failed) return database.trouble("search documents");
    return Done{};
  });
  if (!done) return base::fail(done.error());
  return passages;
}

Result<Done> SqliteKnowledge::add(const Document& document, std::string_view content,
                                  const std::vector<std::string_view>& passages,
                                  const rules::AuditEntry& entry) {
  return writer_.run_quietly([&](SqliteDatabase& database) -> Result<Done> {
    if (auto room = check_room(database, document); !room) return room;
    auto insert = database.prepare(
        "INSERT INTO documents (id, workspace_id, environment, group_id, filename, type, content, "
        "bytes, created_at, updated_at, number) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, " +
        next_number("documents", "group_id = ?4") + ")");
    if (!insert) return base::fail(insert.error());
    insert->bind(1, document.id).bind(2, document.scope.workspace_id);
    insert->bind(3, static_cast<int>(document.scope.environment)).bind(4, document.group_id);
    insert->bind(5, document.filename).bind(6, document.type).bind_in_place(7, content);
    insert->bind(8, document.bytes).bind(9, base::unix_millis(document.created_at));
    if (!insert->bind(10, base::unix_millis(document.updated_at)).run())
      return database.trouble("add a document");
    if (auto added = insert_passages(database, document, passages); !added) return added;
    return audit_.append(database, entry);
  });
}

Result<Document> SqliteKnowledge::rename(const ItemScope& scope, std::string_view id,
                                         std::string_view filename,
                                         const rules::AuditEntry& entry) {
  std::optional<Document> renamed;
  auto done = writer_.run_quietly([&](SqliteDatabase& database) -> Result<Done> {
    auto document = find_in(database, scope, id);
    if (!document) return base::fail(document.error());
    document->filename = filename;
    document->updated_at = entry.at;
    auto update =
        database.prepare("UPDATE documents SET filename = ?2, updated_at = ?3 WHERE id = ?1");
    if (!update) return base::fail(update.error());
    if (!update->bind(1, id).bind(2, filename).bind(3, base::unix_millis(entry.at)).run())
      return database.trouble("rename a document");
    renamed = *std::move(document);
    return audit_.append(database, entry);
  });
  if (!done) return base::fail(done.error());
  return *std::move(renamed);
}

Result<Done> SqliteKnowledge::remove(const ItemScope& scope, std::string_view id,
                                     const rules::AuditEntry& entry) {
  auto removed = writer_.run_quietly([&](SqliteDatabase& database) -> Result<Done> {
    auto document = find_in(database, scope, id);
    if (!document) return base::fail(document.error());
    if (auto forgotten = PassageWords::forget(database, PassageWords::Of::document, id); !forgotten)
      return forgotten;
    auto remove = database.prepare("DELETE FROM documents WHERE id = ?1");
    if (!remove) return base::fail(remove.error());
    if (!remove->bind(1, id).run()) return database.trouble("remove a document");
    return audit_.append(database, entry);
  });
  if (removed) words_.purge();
  return removed;
}

}  // namespace stagedoor::store
