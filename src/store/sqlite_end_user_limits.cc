#include "store/sqlite_end_user_limits.h"

#include <chrono>
#include <mutex>
#include <utility>

#include "store/app_row.h"

namespace stagedoor::store {
namespace {

using Step = SqliteStatement::Step;
using base::ErrorCode;
using rules::RateLimit;

// A process that has slept for longer hears of what was taken away when it starts anew.
constexpr std::chrono::hours taken_away_kept_for{24};
// Few enough that what waits behind them does not wait long.
constexpr std::int64_t forgotten_at_once_max = 1000;

base::Result<std::optional<RateLimit>> kept_limit(SqliteDatabase& database,
                                                  const rules::EndUserLimitChange& of) {
  auto select = database.prepare(
      "SELECT rate_limit FROM end_user_limits WHERE app_id = ?1 AND end_user_id = ?2");
  if (!select) return base::fail(select.error());
  const auto outcome = select->bind(1, of.app_id).bind(2, of.end_user_id).step();
  std::optional<RateLimit> limit;
  if (outcome == Step::failed || (outcome == Step::row && !read_limit(select->text(0), limit)))
    return database.trouble("read an end user's limit");
  return limit;
}

base::Result<base::Done> keep(SqliteDatabase& database, const rules::EndUserLimitChange& change,
                              base::Instant now) {
  auto keep = database.prepare(
      "INSERT INTO end_user_limits (app_id, end_user_id, rate_limit, changed_at, change) VALUES "
      "(?1, ?2, ?3, ?4, (SELECT ifnull(max(change), 0) + 1 FROM end_user_limits)) ON CONFLICT DO "
      "UPDATE SET rate_limit = excluded.rate_limit, changed_at = excluded.changed_at, "
      "change = excluded.change");
  if (!keep) return base::fail(keep.error());
  keep->bind(1, change.app_id).bind(2, change.end_user_id);
  keep->bind(3, limit_text(change.limit));
  if (!keep->bind(4, base::unix_millis(now)).run())
    return database.trouble("keep an end user's limit");
  return base::Done{};
}

std::unexpected<base::Error> full(std::string_view whose, std::size_t most) {
  return base::fail(
      ErrorCode::conflict, std::string(whose) + " with all end users' limits",
      std::string(whose) + " may have at most " + std::to_string(most) +
          " end users with a limit of their own; take one away, or change that of the app.");
}

}  // namespace

SqliteEndUserLimits::SqliteEndUserLimits(SqliteWriter& writer, AppendAudit append,
                                         const base::Clock& clock)
    : writer_(writer), append_(std::move(append)), clock_(clock) {
  writer.on_change([this](SqliteDatabase& database) { return read(database); });
}

std::optional<RateLimit> SqliteEndUserLimits::limit_of(std::string_view app_id,
                                                       std::string_view end_user_id) const {
  if (count() == 0) return std::nullopt;
  const std::shared_lock lock(mutex_);
  const auto app = apps_.find(app_id);
  if (app == apps_.end()) return std::nullopt;
  const auto found = app->second.find(end_user_id);
  return found == app->second.end() ? std::nullopt : std::optional(found->second);
}

std::vector<rules::EndUserLimit> SqliteEndUserLimits::list(std::string_view app_id,
                                                           std::string_view after,
                                                           std::size_t count_max) const {
  const std::shared_lock lock(mutex_);
  std::vector<rules::EndUserLimit> found;
  const auto app = apps_.find(app_id);
  if (app == apps_.end()) return found;
  for (auto next = app->second.upper_bound(after);
       next != app->second.end() && found.size() < count_max; ++next)
    found.push_back({next->first, next->second});
  return found;
}

void SqliteEndUserLimits::note(std::string_view app_id, std::string_view end_user_id,
                               const std::optional<RateLimit>& limit) {
  const std::unique_lock lock(mutex_);
  if (limit) {
    auto app = apps_.find(app_id);
    if (app == apps_.end()) app = apps_.emplace(app_id, OfApp()).first;
    const bool is_new = app->second.insert_or_assign(std::string(end_user_id), *limit).second;
    if (is_new) count_.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  const auto app = apps_.find(app_id);
  if (app == apps_.end()) return;
  const auto found = app->second.find(end_user_id);
  if (found == app->second.end()) return;
  app->second.erase(found);
  if (app->second.empty()) apps_.erase(app);
  count_.fetch_sub(1, std::memory_order_relaxed);
}

bool SqliteEndUserLimits::read(SqliteDatabase& database) {
  auto changed = database.prepare(
      "SELECT app_id, end_user_id, rate_limit, change FROM end_user_limits WHERE change > ?1 "
      "ORDER BY change");
  if (!changed) return false;
  changed->bind(1, change_);
  auto outcome = changed->step();
  for (; outcome == Step::row; outcome = changed->step()) {
    std::optional<RateLimit> limit;
    if (!read_limit(changed->text(2), limit)) return false;
    note(changed->text(0), changed->text(1), limit);
    change_ = changed->integer(3);
  }
  return outcome == Step::end;
}

base::Result<base::Done> SqliteEndUserLimits::check_room(SqliteDatabase& database,
                                                         const std::string& app_id) const {
  if (count() >= rules::end_user_limits_max)
    return full("All apps of this server together", rules::end_user_limits_max);
  auto held = database.prepare(
      "SELECT count(*) FROM end_user_limits WHERE app_id = ?1 AND rate_limit <> ''");
  if (!held) return base::fail(held.error());
  if (held->bind(1, app_id).step() != Step::row) return database.trouble("count end users' limits");
  if (static_cast<std::size_t>(held->integer(0)) >= rules::end_user_limits_of_app_max)
    return full("An app", rules::end_user_limits_of_app_max);
  return base::Done{};
}

void SqliteEndUserLimits::forget_taken_away(SqliteDatabase& database) const {
  // Never the newest, whose change the next one counts on from.
  auto forget = database.prepare(
      "DELETE FROM end_user_limits WHERE (app_id, end_user_id) IN (SELECT app_id, end_user_id FROM "
      "end_user_limits WHERE rate_limit = '' AND changed_at < ?1 AND change < (SELECT max(change) "
      "FROM end_user_limits) LIMIT ?2)");
  const auto until = clock_.now() - taken_away_kept_for;
  if (forget) (void)forget->bind(1, base::unix_millis(until)).bind(2, forgotten_at_once_max).run();
}

base::Result<base::Done> SqliteEndUserLimits::change(const rules::EndUserLimitChange& change,
                                                     const Allow& allow,
                                                     const rules::AuditEntry& entry) {
  return writer_.run([&](SqliteDatabase& database) -> base::Result<base::Done> {
    const auto app = find_app(database, change.app_id);
    if (!app) return base::fail(app.error());
    const auto before = kept_limit(database, change);
    if (!before) return base::fail(before.error());
    if (!change.limit && !*before) {
      return base::fail(ErrorCode::not_found, "no limit of an end user's own",
                        "This end user has no limit of their own.");
    }
    if (auto allowed = allow(*before, *app); !allowed) return allowed;
    if (change.limit && !*before) {
      if (auto room = check_room(database, change.app_id); !room) return room;
    }
    if (auto kept = keep(database, change, clock_.now()); !kept) return kept;
    forget_taken_away(database);
    return append_(database, entry);
  });
}

}  // namespace stagedoor::store
