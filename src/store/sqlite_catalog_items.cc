#include "store/sqlite_catalog_items.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/text.h"
#include "rules/absent.h"
#include "store/list_number.h"
#include "store/scope_row.h"

namespace stagedoor::store {
namespace {

using base::Done;
using base::ErrorCode;
using base::Result;
using rules::CatalogItem;
using rules::ItemKind;
using rules::ItemScope;
using Step = SqliteStatement::Step;

constexpr std::string_view columns =
    "id, kind, workspace_id, environment, app_id, name, content, created_at, updated_at, secret";

std::string owner_of(ItemKind kind, std::string_view id) {
  return std::string(name_of(kind)) + ' ' + std::string(id);
}

CatalogItem item_of(const SqliteStatement& row) {
  const auto instant = [&](int column) {
    return base::Instant(std::chrono::milliseconds(row.integer(column)));
  };
  return {.id = std::string(row.text(0)),
          .kind = static_cast<ItemKind>(row.integer(1)),
          .scope = scope_of(row, 2),
          .name = std::string(row.text(5)),
          .content = std::string(row.text(6)),
          .secret = {},
          .created_at = instant(7),
          .updated_at = instant(8)};
}

std::unexpected<base::Error> no_item(ItemKind kind, const ItemScope& scope) {
  const std::string words(words_of(kind));
  return base::fail(ErrorCode::not_found, "no such " + words,
                    rules::absent(words, scope.environment));
}

Result<CatalogItem> find_in(SqliteDatabase& database, const rules::SecretKeeper& keeper,
                            const ItemScope& scope, ItemKind kind, std::string_view id) {
  auto read = database.prepare("SELECT " + std::string(columns) +
                               " FROM catalog_items WHERE id = ?1 AND kind = ?5 AND " + in_scope());
  if (!read) return base::fail(read.error());
  const auto step = bind_scope(read->bind(1, id), scope).bind(5, static_cast<int>(kind)).step();
  if (step == Step::failed) return database.trouble("find a catalog item");
  if (step == Step::end) return no_item(kind, scope);
  auto item = item_of(*read);
  if (read->is_null(9)) return item;
  auto secret = keeper.open(base::as_text(read->blob(9)), owner_of(kind, id));
  if (!secret)
    return base::fail(ErrorCode::unavailable, "the secret of a catalog item can't be opened");
  item.secret = *std::move(secret);
  return item;
}

// What a list chooses from; the same values are bound for the count and for the page.
std::string chosen() {
  return " FROM catalog_items WHERE kind = ?5 AND "
         "(?1 = '' OR id = ?1 OR instr(lower(name), lower(?1)) > 0) AND " +
         in_scope();
}

SqliteStatement& bind_chosen(SqliteStatement& statement, const ItemScope& scope, ItemKind kind,
                             std::string_view search) {
  return bind_scope(statement.bind(1, search), scope).bind(5, static_cast<int>(kind));
}

Result<Done> check_room(SqliteDatabase& database, const CatalogItem& item) {
  const auto taken = taken_room(database,
                                "SELECT count(*), ifnull(sum(app_id = ?4), 0) FROM catalog_items "
                                "WHERE workspace_id = ?2 AND environment = ?3 AND kind = " +
                                    std::to_string(static_cast<int>(item.kind)),
                                item.scope);
  if (!taken) return base::fail(taken.error());
  if (rules::has_room(*taken, 1, rules::items_of_workspace_max)) return Done{};
  return no_room("of each kind, of live or test data", rules::items_of_workspace_max);
}

// Name, content, time of change and secret are ?2 to ?5.
void bind_changeable(SqliteStatement& statement, const CatalogItem& item,
                     const rules::SecretKeeper& keeper) {
  statement.bind(2, item.name).bind(3, item.content).bind(4, base::unix_millis(item.updated_at));
  if (item.secret.is_empty()) {
    statement.bind_null(5);
    return;
  }
  const auto sealed = keeper.seal(item.secret.expose(), owner_of(item.kind, item.id));
  statement.bind_blob(5, base::as_bytes(sealed));
}

}  // namespace

Result<CatalogItem> SqliteCatalogItems::find(const ItemScope& scope, ItemKind kind,
                                             std::string_view id) {
  return parts_.readers.read_value<CatalogItem>(
      [&](SqliteDatabase& database) { return find_in(database, parts_.keeper, scope, kind, id); });
}

Result<rules::CatalogItems::Found> SqliteCatalogItems::list(const ItemScope& scope, ItemKind kind,
                                                            const Query& query) {
  Found found;
  auto done = parts_.readers.read([&](SqliteDatabase& database) -> Result<Done> {
    auto count = database.prepare("SELECT count(*)" + chosen());
    if (!count) return base::fail(count.error());
    if (bind_chosen(*count, scope, kind, query.search).step() != Step::row)
      return database.trouble("count catalog items");
    found.total = count->integer(0);
    auto read = database.prepare("SELECT " + std::string(columns) + chosen() +
                                 " ORDER BY number DESC LIMIT ?6 OFFSET ?7");
    if (!read) return base::fail(read.error());
    bind_chosen(*read, scope, kind, query.search).bind(6, query.count).bind(7, query.skip);
    auto step = read->step();
    for (; step == Step::row; step = read->step()) found.items.push_back(item_of(*read));
    if (step == Step::failed) return database.trouble("list catalog items");
    return Done{};
  });
  if (!done) return base::fail(done.error());
  return found;
}

Result<Done> SqliteCatalogItems::create(const CatalogItem& item, const rules::AuditEntry& entry) {
  return parts_.writer.run_quietly([&](SqliteDatabase& database) -> Result<Done> {
    if (auto room = check_room(database, item); !room) return room;
    auto insert = database.prepare(
        "INSERT INTO catalog_items (id, name, content, updated_at, secret, kind, workspace_id, "
        "environment, app_id, created_at, number) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, "
        "nullif(?9, ''), ?10, " +
        next_number("catalog_items", "kind = ?6 AND workspace_id = ?7 AND environment = ?8") + ")");
    if (!insert) return base::fail(insert.error());
    bind_changeable(insert->bind(1, item.id), item, parts_.keeper);
    bind_scope(insert->bind(6, static_cast<int>(item.kind)), item.scope, 7);
    if (!insert->bind(10, base::unix_millis(item.created_at)).run())
      return database.trouble("create a catalog item");
    return parts_.audit.append(database, entry);
  });
}

Result<CatalogItem> SqliteCatalogItems::change(const ItemScope& scope, ItemKind kind,
                                               std::string_view id, const Change& change,
                                               const rules::AuditEntry& entry) {
  std::optional<CatalogItem> changed;
  auto done = parts_.writer.run_quietly([&](SqliteDatabase& database) -> Result<Done> {
    auto item = find_in(database, parts_.keeper, scope, kind, id);
    if (!item) return base::fail(item.error());
    if (auto allowed = change(*item); !allowed) return allowed;
    item->updated_at = entry.at;
    auto update = database.prepare(
        "UPDATE catalog_items SET name = ?2, content = ?3, updated_at = ?4, secret = ?5 "
        "WHERE id = ?1");
    if (!update) return base::fail(update.error());
    bind_changeable(update->bind(1, item->id), *item, parts_.keeper);
    if (!update->run()) return database.trouble("change a catalog item");
    changed = *std::move(item);
    return parts_.audit.append(database, entry);
  });
  if (!done) return base::fail(done.error());
  return *std::move(changed);
}

Result<Done> SqliteCatalogItems::remove(const ItemScope& scope, ItemKind kind, std::string_view id,
                                        const rules::AuditEntry& entry) {
  const bool is_group = kind == ItemKind::knowledge_group;
  auto removed = parts_.writer.run_quietly([&](SqliteDatabase& database) -> Result<Done> {
    // Undone with all else where there is no such group.
    if (is_group)
      if (auto forgotten = PassageWords::forget(database, PassageWords::Of::group, id); !forgotten)
        return forgotten;
    auto remove =
        database.prepare("DELETE FROM catalog_items WHERE id = ?1 AND kind = ?5 AND " + in_scope());
    if (!remove) return base::fail(remove.error());
    if (!bind_scope(remove->bind(1, id), scope).bind(5, static_cast<int>(kind)).run())
      return database.trouble("remove a catalog item");
    if (database.changes() == 0) return no_item(kind, scope);
    return parts_.audit.append(database, entry);
  });
  if (removed && is_group) parts_.words.purge();
  return removed;
}

Result<Done> SqliteCatalogItems::seal_anew() {
  return parts_.writer.run_quietly([&](SqliteDatabase& database) -> Result<Done> {
    struct Row {
      std::string id, owner, sealed;
    };
    std::vector<Row> rows;
    auto read =
        database.prepare("SELECT id, kind, secret FROM catalog_items WHERE secret IS NOT NULL");
    if (!read) return base::fail(read.error());
    auto step = read->step();
    for (; step == Step::row; step = read->step())
      rows.push_back({std::string(read->text(0)),
                      owner_of(static_cast<ItemKind>(read->integer(1)), read->text(0)),
                      std::string(base::as_text(read->blob(2)))});
    if (step == Step::failed) return database.trouble("read what is sealed");
    auto update = database.prepare("UPDATE catalog_items SET secret = ?2 WHERE id = ?1");
    if (!update) return base::fail(update.error());
    for (const auto& row : rows) {
      const auto opened = parts_.keeper.open(row.sealed, row.owner);
      // What can't be opened now never will be.
      if (!opened || parts_.keeper.is_current(row.sealed, row.owner)) continue;
      const auto sealed = parts_.keeper.seal(opened->expose(), row.owner);
      update->bind(1, row.id).bind_blob(2, base::as_bytes(sealed));
      if (!update->run()) return database.trouble("seal anew");
    }
    return Done{};
  });
}

}  // namespace stagedoor::store
