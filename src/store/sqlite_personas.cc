#include "store/sqlite_personas.h"

#include <algorithm>
#include <mutex>
#include <optional>
#include <utility>

#include "base/text.h"
#include "rules/absent.h"
#include "store/list_number.h"
#include "store/scope_row.h"
#include "store/sqlite_share_links.h"

namespace stagedoor::store {
namespace {

using base::Done;
using base::ErrorCode;
using base::Result;
using Step = SqliteStatement::Step;

constexpr std::int64_t forgotten_at_once_max = 500;

constexpr std::string_view columns =
    "id, workspace_id, environment, app_id, content, created_at, updated_at";

base::Instant instant_of(std::int64_t millis) {
  return base::Instant(std::chrono::milliseconds(millis));
}

Result<rules::Persona> persona_of(const SqliteStatement& row) {
  auto content = rules::PersonaContent::of_canonical(row.text(4));
  if (!content) return base::fail(content.error());
  return rules::Persona{.id = std::string(row.text(0)),
                        .scope = scope_of(row, 1),
                        .content = *std::move(content),
                        .created_at = instant_of(row.integer(5)),
                        .updated_at = instant_of(row.integer(6))};
}

std::unexpected<base::Error> no_persona(const rules::PersonaScope& scope) {
  return base::fail(ErrorCode::not_found, "no such persona",
                    rules::absent("persona", scope.environment));
}

Result<rules::Persona> find_in(SqliteDatabase& database, const rules::PersonaScope& scope,
                               std::string_view id) {
  auto read = database.prepare("SELECT " + std::string(columns) +
                               " FROM personas WHERE id = ?1 AND " + in_scope());
  if (!read) return base::fail(read.error());
  const auto step = bind_scope(read->bind(1, id), scope).step();
  if (step == Step::failed) return database.trouble("find persona");
  if (step == Step::end) return no_persona(scope);
  return persona_of(*read);
}

// What a list chooses from; the same values are bound for the count and for the page.
std::string chosen() {
  return " FROM personas WHERE (?1 = '' OR id = ?1 OR instr(lower(name), lower(?1)) > 0) AND " +
         in_scope();
}

Result<Done> check_room(SqliteDatabase& database, const rules::Persona& persona) {
  const auto taken = taken_room(database,
                                "SELECT count(*), ifnull(sum(app_id = ?4), 0) FROM personas WHERE "
                                "workspace_id = ?2 AND environment = ?3",
                                persona.scope);
  if (!taken) return base::fail(taken.error());
  if (rules::has_room(*taken, 1, rules::personas_of_workspace_max)) return Done{};
  return no_room("personas of live or test data", rules::personas_of_workspace_max);
}

// What a snapshot's seal is bound to.
std::string owner_of(const crypto::Digest& digest) {
  return "persona_snapshot " + base::hex(digest);
}

}  // namespace

Result<Done> insert_persona(SqliteDatabase& database, const rules::Persona& persona) {
  auto insert = database.prepare(
      "INSERT INTO personas (id, workspace_id, environment, app_id, name, content, created_at, "
      "updated_at, number) VALUES (?1, ?2, ?3, nullif(?4, ''), ?5, ?6, ?7, ?8, " +
      next_number("personas", "workspace_id = ?2 AND environment = ?3") + ")");
  if (!insert) return base::fail(insert.error());
  bind_scope(insert->bind(1, persona.id), persona.scope).bind(5, persona.content.name());
  insert->bind(6, persona.content.json()).bind(7, base::unix_millis(persona.created_at));
  if (!insert->bind(8, base::unix_millis(persona.updated_at)).run())
    return database.trouble("create persona");
  return Done{};
}

Result<rules::Persona> SqlitePersonas::find(const rules::PersonaScope& scope, std::string_view id) {
  return readers_.read_value<rules::Persona>(
      [&](SqliteDatabase& database) { return find_in(database, scope, id); });
}

Result<rules::Personas::Found> SqlitePersonas::list(const rules::PersonaScope& scope,
                                                    const Query& query) {
  return readers_.read_value<Found>([&](SqliteDatabase& database) -> Result<Found> {
    Found found;
    auto count = database.prepare("SELECT count(*)" + chosen());
    if (!count) return base::fail(count.error());
    if (bind_scope(count->bind(1, query.search), scope).step() != Step::row)
      return database.trouble("count personas");
    found.total = count->integer(0);
    auto read = database.prepare("SELECT " + std::string(columns) + chosen() +
                                 " ORDER BY number DESC LIMIT ?5 OFFSET ?6");
    if (!read) return base::fail(read.error());
    bind_scope(read->bind(1, query.search), scope).bind(5, query.count).bind(6, query.skip);
    auto step = read->step();
    for (; step == Step::row; step = read->step()) {
      auto persona = persona_of(*read);
      if (!persona) return base::fail(persona.error());
      found.personas.push_back(*std::move(persona));
    }
    if (step == Step::failed) return database.trouble("list personas");
    return found;
  });
}

Result<Done> SqlitePersonas::create(const rules::Persona& persona, const rules::AuditEntry& entry) {
  return writer_.run([&](SqliteDatabase& database) -> Result<Done> {
    if (auto room = check_room(database, persona); !room) return room;
    if (auto made = insert_persona(database, persona); !made) return made;
    return audit_.append(database, entry);
  });
}

Result<rules::Persona> SqlitePersonas::change(const rules::PersonaScope& scope, std::string_view id,
                                              const Change& change,
                                              const rules::AuditEntry& entry) {
  std::optional<rules::Persona> changed;
  auto done = writer_.run([&](SqliteDatabase& database) -> Result<Done> {
    auto persona = find_in(database, scope, id);
    if (!persona) return base::fail(persona.error());
    auto content = change(persona->content);
    if (!content) return base::fail(content.error());
    persona->content = *std::move(content);
    persona->updated_at = entry.at;
    auto update = database.prepare(
        "UPDATE personas SET name = ?2, content = ?3, updated_at = ?4 WHERE id = ?1");
    if (!update) return base::fail(update.error());
    update->bind(1, persona->id).bind(2, persona->content.name());
    update->bind(3, persona->content.json()).bind(4, base::unix_millis(persona->updated_at));
    if (!update->run()) return database.trouble("change persona");
    changed = *std::move(persona);
    return audit_.append(database, entry);
  });
  if (!done) return base::fail(done.error());
  return *std::move(changed);
}

Result<Done> SqlitePersonas::remove(const rules::PersonaScope& scope, std::string_view id,
                                    const rules::AuditEntry& entry) {
  return writer_.run([&](SqliteDatabase& database) -> Result<Done> {
    // Where there is no such persona in the scope this is undone.
    if (auto ended = end_what_links_opened(database, id, clock_.now()); !ended) return ended;
    auto remove = database.prepare("DELETE FROM personas WHERE id = ?1 AND " + in_scope());
    if (!remove) return base::fail(remove.error());
    if (!bind_scope(remove->bind(1, id), scope).run()) return database.trouble("remove persona");
    if (database.changes() == 0) return no_persona(scope);
    return audit_.append(database, entry);
  });
}

bool SqlitePersonaSnapshots::is_known(const crypto::Digest& digest, base::Instant now) const {
  const std::shared_lock lock(mutex_);
  const auto found = known_.find(digest);
  return found != known_.end() && now < found->second + rules::persona_snapshot_noted_for;
}

void SqlitePersonaSnapshots::remember(const crypto::Digest& digest, base::Instant minted_at) {
  const std::unique_lock lock(mutex_);
  const auto [found, is_new] = known_.try_emplace(digest, minted_at);
  found->second = std::max(found->second, minted_at);
  if (!is_new) return;
  if (order_.size() < known_max) {
    order_.push_back(digest);
    return;
  }
  known_.erase(std::exchange(order_[next_], digest));
  next_ = (next_ + 1) % known_max;
}

Result<Done> SqlitePersonaSnapshots::keep(const rules::PersonaSnapshot& snapshot,
                                          base::Instant now) {
  if (is_known(snapshot.digest, now)) return Done{};
  if (const auto before = minted_at(snapshot.digest)) remember(snapshot.digest, *before);
  if (is_known(snapshot.digest, now)) return Done{};
  const auto sealed = keeper_.seal(snapshot.content, owner_of(snapshot.digest));
  const auto kept = writer_.run_quietly([&](SqliteDatabase& database) -> Result<Done> {
    auto insert = database.prepare(
        "INSERT INTO persona_snapshots (digest, content, sealed, minted_at) VALUES (?1, '', ?2, "
        "?3) "
        "ON CONFLICT DO UPDATE SET minted_at = max(minted_at, excluded.minted_at), content = '', "
        "sealed = excluded.sealed");
    if (!insert) return base::fail(insert.error());
    insert->bind_blob(1, snapshot.digest).bind_blob(2, base::as_bytes(sealed));
    if (!insert->bind(3, base::unix_millis(now)).run())
      return database.trouble("keep a persona's snapshot");
    return Done{};
  });
  if (!kept) return kept;
  remember(snapshot.digest, now);
  return Done{};
}

void SqlitePersonaSnapshots::forget(base::Instant now) {
  const auto work = [now](SqliteDatabase& database) -> Result<Done> {
    auto forget = database.prepare(
        "DELETE FROM persona_snapshots WHERE digest IN (SELECT digest FROM persona_snapshots WHERE "
        "minted_at < ?1 LIMIT ?2)");
    if (!forget) return base::fail(forget.error());
    forget->bind(1, base::unix_millis(now - rules::persona_snapshot_kept_for));
    if (!forget->bind(2, forgotten_at_once_max).run())
      return database.trouble("forget personas' snapshots");
    return Done{};
  };
  (void)writer_.submit({.work = work, .done = [](const Result<Done>&) {}});
}

Result<base::Instant> SqlitePersonaSnapshots::minted_at(const crypto::Digest& digest) {
  using Read = Result<base::Instant>;
  return readers_.read_value<base::Instant>([&](SqliteDatabase& database) -> Read {
    auto read = database.prepare("SELECT minted_at FROM persona_snapshots WHERE digest = ?1");
    if (!read) return base::fail(read.error());
    read->bind_blob(1, digest);
    const auto step = read->step();
    if (step == Step::failed) return database.trouble("find a persona's snapshot");
    if (step == Step::end) return base::fail(ErrorCode::not_found, "no such snapshot");
    return base::Instant(std::chrono::milliseconds(read->integer(0)));
  });
}

Result<std::string> SqlitePersonaSnapshots::find(const crypto::Digest& digest) {
  return readers_.read_value<std::string>([&](SqliteDatabase& database) -> Result<std::string> {
    auto read = database.prepare("SELECT content, sealed FROM persona_snapshots WHERE digest = ?1");
    if (!read) return base::fail(read.error());
    read->bind_blob(1, digest);
    const auto step = read->step();
    if (step == Step::failed) return database.trouble("find a persona's snapshot");
    if (step == Step::end) return base::fail(ErrorCode::not_found, "no such snapshot");
    // One of a program that sealed none.
    if (read->is_null(1)) return std::string(read->text(0));
    const auto content = keeper_.open(base::as_text(read->blob(1)), owner_of(digest));
    if (!content) return base::fail(ErrorCode::unavailable, "a persona's snapshot can't be opened");
    return std::string(content->expose());
  });
}

}  // namespace stagedoor::store
