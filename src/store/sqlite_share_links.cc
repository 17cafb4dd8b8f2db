#include "store/sqlite_share_links.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/text.h"
#include "store/list_number.h"
#include "store/scope_row.h"
#include "store/token_revocation_rows.h"

namespace stagedoor::store {
namespace {

using base::Done;
using base::ErrorCode;
using base::Result;
using rules::ItemScope;
using rules::ShareLink;
using Step = SqliteStatement::Step;

// A person's log-outs everywhere are counted as generations of the account.
constexpr std::string_view columns =
    "SELECT l.id, l.workspace_id, l.environment, l.app_id, l.persona_id, p.name, l.made_by, "
    "l.made_generation IS NOT (SELECT generation FROM accounts WHERE id = l.made_by), l.token, "
    "l.kind, l.expires_at, l.uses_max, l.uses, l.allowed_origins, l.any_origin, "
    "l.without_watermark, l.is_enabled, l.is_primary, l.created_at, l.updated_at";
constexpr std::string_view tables =
    " FROM share_links AS l JOIN personas AS p ON p.id = l.persona_id WHERE ";

// What a token's seal is bound to.
std::string owner_of(std::string_view id) {
  return "share_link " + std::string(id);
}

// None has a blank in it.
std::string text_of(const std::vector<std::string>& origins) {
  std::string text;
  for (const auto& origin : origins) (text += text.empty() ? "" : " ") += origin;
  return text;
}

std::vector<std::string> origins_of(std::string_view text) {
  std::vector<std::string> origins;
  while (!text.empty()) {
    const auto end = std::min(text.find(' '), text.size());
    origins.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return origins;
}

rules::ShareLinkTerms terms_of(const SqliteStatement& row) {
  rules::ShareLinkTerms terms{.kind = static_cast<rules::ShareLinkKind>(row.integer(9)),
                              .expires_at = {},
                              .uses_max = {},
                              .allowed_origins = origins_of(row.text(13)),
                              .is_for_any_origin = row.integer(14) != 0,
                              .is_without_watermark = row.integer(15) != 0,
                              .is_enabled = row.integer(16) != 0,
                              .is_primary = row.integer(17) != 0};
  if (!row.is_null(10))
    terms.expires_at = base::Instant(std::chrono::milliseconds(row.integer(10)));
  if (!row.is_null(11)) terms.uses_max = row.integer(11);
  return terms;
}

// A token that can't be opened any more is empty: the link can still be seen and taken away.
ShareLink link_of(const SqliteStatement& row, const rules::SecretKeeper& keeper) {
  const auto instant = [&](int column) {
    return base::Instant(std::chrono::milliseconds(row.integer(column)));
  };
  auto token = keeper.open(base::as_text(row.blob(8)), owner_of(row.text(0)));
  return {.id = std::string(row.text(0)),
          .scope = scope_of(row, 1),
          .persona_id = std::string(row.text(4)),
          .persona_name = std::string(row.text(5)),
          .made_by = std::string(row.text(6)),
          .has_maker_logged_out = row.integer(7) != 0,
          .token = token ? *std::move(token) : base::Secret(),
          .terms = terms_of(row),
          .uses = row.integer(12),
          .created_at = instant(18),
          .updated_at = instant(19)};
}

std::unexpected<base::Error> no_link() {
  return base::fail(ErrorCode::not_found, "no such share link",
                    "There is no share link with this id.");
}

Result<ShareLink> find_in(SqliteDatabase& database, const rules::SecretKeeper& keeper,
                          const ItemScope& scope, std::string_view id) {
  auto read = database.prepare(std::string(columns) + std::string(tables) + "l.id = ?1 AND " +
                               in_scope("l."));
  if (!read) return base::fail(read.error());
  const auto step = bind_scope(read->bind(1, id), scope).step();
  if (step == Step::failed) return database.trouble("find a share link");
  if (step == Step::end) return no_link();
  return link_of(*read, keeper);
}

// What a list chooses from; the same values are bound for the count and for the page.
std::string chosen() {
  return std::string(tables) +
         "(?1 = '' OR l.id = ?1 OR instr(lower(p.name), lower(?1)) > 0) AND "
         "(?5 = '' OR l.persona_id = ?5) AND " +
         in_scope("l.");
}

SqliteStatement& bind_chosen(SqliteStatement& statement, const ItemScope& scope,
                             const rules::ShareLinks::Query& query) {
  return bind_scope(statement.bind(1, query.search), scope).bind(5, query.persona_id);
}

Result<Done> read_persona_name(SqliteDatabase& database, ShareLink& link) {
  auto read = database.prepare("SELECT name FROM personas WHERE id = ?1 AND " + in_scope());
  if (!read) return base::fail(read.error());
  const auto step = bind_scope(read->bind(1, link.persona_id), link.scope).step();
  if (step == Step::failed) return database.trouble("find a share link's persona");
  if (step == Step::end)
    return base::fail(ErrorCode::not_found, "a share link to no persona",
                      "There is no persona with this id.");
  link.persona_name = read->text(0);
  return Done{};
}

Result<Done> check_room(SqliteDatabase& database, const ShareLink& link) {
  const auto taken = taken_room(database,
                                "SELECT count(*), ifnull(sum(app_id = ?4), 0) FROM share_links "
                                "WHERE workspace_id = ?2 AND environment = ?3",
                                link.scope);
  if (!taken) return base::fail(taken.error());
  if (!rules::has_room(*taken, 1, rules::share_links_of_workspace_max))
    return no_room("share links of live or test data", rules::share_links_of_workspace_max);
  auto count =
      database.prepare("SELECT count(*) FROM share_links WHERE persona_id = ?1 AND app_id = ?2");
  if (!count) return base::fail(count.error());
  if (count->bind(1, link.persona_id).bind(2, link.scope.app_id).step() != Step::row)
    return database.trouble("count share links");
  if (count->integer(0) < rules::share_links_of_persona_max) return Done{};
  return base::fail(ErrorCode::conflict, "a persona with all of its share links",
                    "An app has at most " + std::to_string(rules::share_links_of_persona_max) +
                        " share links to one persona; take one away first.");
}

// Rule share-link-one-primary.
Result<Done> give_up_primary(SqliteDatabase& database, const ShareLink& link) {
  if (!link.terms.is_primary) return Done{};
  auto update = database.prepare(
      "UPDATE share_links SET is_primary = 0 WHERE persona_id = ?1 AND id <> ?2 AND app_id = ?3 "
      "AND is_primary = 1");
  if (!update) return base::fail(update.error());
  if (!update->bind(1, link.persona_id).bind(2, link.id).bind(3, link.scope.app_id).run())
    return database.trouble("give up a primary share link");
  return Done{};
}

// What can be changed, ?2 to ?11; the id is ?1.
void bind_changeable(SqliteStatement& statement, const ShareLink& link) {
  const auto& terms = link.terms;
  statement.bind(1, link.id).bind(2, link.made_by).bind(3, static_cast<int>(terms.kind));
  statement.bind_null(4).bind_null(5);
  if (terms.expires_at) statement.bind(4, base::unix_millis(*terms.expires_at));
  if (terms.uses_max) statement.bind(5, *terms.uses_max);
  statement.bind(6, text_of(terms.allowed_origins)).bind(7, terms.is_for_any_origin ? 1 : 0);
  statement.bind(8, terms.is_without_watermark ? 1 : 0).bind(9, terms.is_enabled ? 1 : 0);
  statement.bind(10, terms.is_primary ? 1 : 0).bind(11, base::unix_millis(link.updated_at));
}

Result<Done> insert(SqliteDatabase& database, const ShareLink& link,
                    const rules::SecretKeeper& keeper, const rules::ShareTokenHasher& hasher) {
  auto insert = database.prepare(
      "INSERT INTO share_links (id, made_by, made_generation, kind, expires_at, uses_max, "
      "allowed_origins, any_origin, without_watermark, is_enabled, is_primary, updated_at, "
      "workspace_id, environment, app_id, persona_id, token_hash, token, uses, created_at, number) "
      "VALUES "
      "(?1, ?2, (SELECT generation FROM accounts WHERE id = ?2), ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, "
      "?11, ?12, ?13, ?14, ?15, ?16, ?17, 0, ?18, " +
      next_number("share_links", "workspace_id = ?12 AND environment = ?13") + ")");
  if (!insert) return base::fail(insert.error());
  const auto sealed = keeper.seal(link.token.expose(), owner_of(link.id));
  const auto hash = hasher.current(link.token);
  bind_changeable(*insert, link);
  bind_scope(*insert, link.scope, 12)
      .bind(15, link.persona_id)
      .bind_blob(16, hash)
      .bind_blob(17, base::as_bytes(sealed));
  if (!insert->bind(18, base::unix_millis(link.created_at)).run())
    return database.trouble("create a share link");
  return Done{};
}

Result<Done> update(SqliteDatabase& database, const ShareLink& link) {
  auto update = database.prepare(
      "UPDATE share_links SET made_by = ?2, made_generation = (SELECT generation FROM accounts "
      "WHERE id = ?2), kind = ?3, expires_at = ?4, uses_max = ?5, allowed_origins = ?6, any_origin "
      "= ?7, without_watermark = ?8, is_enabled = ?9, is_primary = ?10, updated_at = ?11 WHERE id "
      "= ?1");
  if (!update) return base::fail(update.error());
  bind_changeable(*update, link);
  if (!update->run()) return database.trouble("change a share link");
  return Done{};
}

// Rule share-link-ends-what-it-opened. `now` is read on the writer's thread: whatever use was
// counted before this, its token was minted by then.
Result<Done> end_what_it_opened(SqliteDatabase& database, const ShareLink& link,
                                base::Instant now) {
  if (link.uses == 0) return Done{};
  const auto revoked = insert_revocation(database, rules::end_of_what_opened(link, now));
  if (!revoked) return base::fail(revoked.error());
  return Done{};
}

}  // namespace

Result<Done> end_what_links_opened(SqliteDatabase& database, std::string_view persona_id,
                                   base::Instant now) {
  auto read = database.prepare(
      "SELECT id, workspace_id, environment, app_id, uses FROM share_links WHERE persona_id = ?1");
  if (!read) return base::fail(read.error());
  std::vector<ShareLink> links;
  auto step = read->bind(1, persona_id).step();
  for (; step == Step::row; step = read->step()) {
    auto& link = links.emplace_back();
    link.id = read->text(0);
    link.scope = scope_of(*read, 1);
    link.uses = read->integer(4);
  }
  if (step == Step::failed) return database.trouble("read a persona's share links");
  for (const auto& link : links)
    if (auto ended = end_what_it_opened(database, link, now); !ended) return ended;
  return Done{};
}

Result<ShareLink> SqliteShareLinks::find(const ItemScope& scope, std::string_view id) {
  return parts_.readers.read_value<ShareLink>(
      [&](SqliteDatabase& database) { return find_in(database, parts_.keeper, scope, id); });
}

Result<ShareLink> SqliteShareLinks::find_by_token(const base::Secret& token) {
  const auto hashes = parts_.hasher.all(token);
  return parts_.readers.read_value<ShareLink>([&](SqliteDatabase& database) -> Result<ShareLink> {
    auto read = database.prepare(std::string(columns) + std::string(tables) + "l.token_hash = ?1");
    if (!read) return base::fail(read.error());
    for (const auto& hash : hashes) {
      const auto step = read->bind_blob(1, hash).step();
      if (step == Step::failed) return database.trouble("find a share link by its token");
      if (step == Step::row) return link_of(*read, parts_.keeper);
      read->reset();
    }
    return no_link();
  });
}

Result<rules::ShareLinks::Found> SqliteShareLinks::list(const ItemScope& scope,
                                                        const Query& query) {
  return parts_.readers.read_value<Found>([&](SqliteDatabase& database) -> Result<Found> {
    Found found;
    auto count = database.prepare("SELECT count(*)" + chosen());
    if (!count) return base::fail(count.error());
    if (bind_chosen(*count, scope, query).step() != Step::row)
      return database.trouble("count share links");
    found.total = count->integer(0);
    auto read = database.prepare(std::string(columns) + chosen() +
                                 " ORDER BY l.number DESC LIMIT ?6 OFFSET ?7");
    if (!read) return base::fail(read.error());
    bind_chosen(*read, scope, query).bind(6, query.count).bind(7, query.skip);
    auto step = read->step();
    for (; step == Step::row; step = read->step())
      found.links.push_back(link_of(*read, parts_.keeper));
    if (step == Step::failed) return database.trouble("list share links");
    return found;
  });
}

Result<Done> SqliteShareLinks::create(ShareLink& link, const rules::AuditEntry& entry) {
  return parts_.writer.run_quietly([&](SqliteDatabase& database) -> Result<Done> {
    if (auto found = read_persona_name(database, link); !found) return found;
    if (auto room = check_room(database, link); !room) return room;
    if (auto given = give_up_primary(database, link); !given) return given;
    if (auto made = insert(database, link, parts_.keeper, parts_.hasher); !made) return made;
    return parts_.audit.append(database, entry);
  });
}

Result<ShareLink> SqliteShareLinks::change(const ItemScope& scope, std::string_view id,
                                           const Change& change, const rules::AuditEntry& entry) {
  std::optional<ShareLink> changed;
  auto done = parts_.writer.run([&](SqliteDatabase& database) -> Result<Done> {
    auto link = find_in(database, parts_.keeper, scope, id);
    if (!link) return base::fail(link.error());
    const bool was_enabled = link->terms.is_enabled;
    if (auto allowed = change(*link); !allowed) return allowed;
    if (was_enabled && !link->terms.is_enabled)
      if (auto ended = end_what_it_opened(database, *link, parts_.clock.now()); !ended)
        return ended;
    link->updated_at = entry.at;
    if (auto given = give_up_primary(database, *link); !given) return given;
    if (auto updated = update(database, *link); !updated) return updated;
    changed = *std::move(link);
    return parts_.audit.append(database, entry);
  });
  if (!done) return base::fail(done.error());
  return *std::move(changed);
}

Result<Done> SqliteShareLinks::remove(const ItemScope& scope, std::string_view id,
                                      const rules::AuditEntry& entry) {
  return parts_.writer.run([&](SqliteDatabase& database) -> Result<Done> {
    const auto link = find_in(database, parts_.keeper, scope, id);
    if (!link) return base::fail(link.error());
    if (auto ended = end_what_it_opened(database, *link, parts_.clock.now()); !ended) return ended;
    auto remove = database.prepare("DELETE FROM share_links WHERE id = ?1");
    if (!remove) return base::fail(remove.error());
    if (!remove->bind(1, id).run()) return database.trouble("remove a share link");
    return parts_.audit.append(database, entry);
  });
}

Result<Done> SqliteShareLinks::use(std::string_view id, const rules::AuditEntry& entry) {
  return parts_.writer.run_quietly([&](SqliteDatabase& database) -> Result<Done> {
    // Rule share-link-counted-exactly: the one conditional step.
    auto use = database.prepare(
        "UPDATE share_links SET uses = uses + 1 WHERE id = ?1 AND is_enabled = 1 AND "
        "(expires_at IS NULL OR expires_at > ?2) AND (uses_max IS NULL OR uses < uses_max)");
    if (!use) return base::fail(use.error());
    if (!use->bind(1, id).bind(2, base::unix_millis(entry.at)).run())
      return database.trouble("use a share link");
    if (database.changes() == 0) return no_link();
    return parts_.audit.append(database, entry);
  });
}

Result<Done> SqliteShareLinks::seal_anew() {
  return parts_.writer.run_quietly([&](SqliteDatabase& database) -> Result<Done> {
    std::vector<std::pair<std::string, std::string>> rows;
    auto read = database.prepare("SELECT id, token FROM share_links");
    if (!read) return base::fail(read.error());
    auto step = read->step();
    for (; step == Step::row; step = read->step())
      rows.emplace_back(read->text(0), base::as_text(read->blob(1)));
    if (step == Step::failed) return database.trouble("read share links");
    auto update =
        database.prepare("UPDATE share_links SET token = ?2, token_hash = ?3 WHERE id = ?1");
    if (!update) return base::fail(update.error());
    for (const auto& [id, sealed] : rows) {
      const auto token = parts_.keeper.open(sealed, owner_of(id));
      // What can't be opened now never will be.
      if (!token || parts_.keeper.is_current(sealed, owner_of(id))) continue;
      const auto anew = parts_.keeper.seal(token->expose(), owner_of(id));
      const auto hash = parts_.hasher.current(*token);
      update->bind(1, id).bind_blob(2, base::as_bytes(anew)).bind_blob(3, hash);
      if (!update->run()) return database.trouble("seal share links anew");
    }
    return Done{};
  });
}

}  // namespace stagedoor::store
