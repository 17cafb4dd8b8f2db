#include "store/sqlite_redemptions.h"

#include <chrono>
#include <memory>

namespace stagedoor::store {
namespace {

constexpr std::chrono::hours kept_after_expiry{24};
constexpr std::chrono::minutes between_forgettings{10};
// Few enough that a redemption that waits behind them does not wait long.
constexpr std::int64_t forgotten_at_once_max = 2000;

base::Result<base::Done> done_or_error(const base::Result<rules::Redeemed>& outcome) {
  // That the app is full is an answer; it has changed nothing.
  if (!outcome && outcome.error().code != base::ErrorCode::concurrency_limited)
    return base::fail(outcome.error());
  return base::Done{};
}

}  // namespace

SqliteRedemptions::SqliteRedemptions(SqliteWriter& writer, SqliteSessionLedger& ledger,
                                     const base::Clock& clock)
    : writer_(writer), ledger_(ledger), clock_(clock) {}

base::Result<SqliteRedemptions::Statements*> SqliteRedemptions::statements_for(
    SqliteDatabase& database) {
  if (statements_) return &*statements_;
  // None of these has RETURNING: SQLite gives such a statement a savepoint of its own, whose end
  // walks along all that the job's savepoint holds.
  auto begin = database.prepare(
      "INSERT INTO redemptions (expires_at, token_id, uses, first_at, session_id) "
      "VALUES (?1, ?2, 1, ?3, ?4) ON CONFLICT DO NOTHING");
  auto find_uses =
      database.prepare("SELECT uses FROM redemptions WHERE expires_at = ?1 AND token_id = ?2");
  auto set_uses =
      database.prepare("UPDATE redemptions SET uses = ?3 WHERE expires_at = ?1 AND token_id = ?2");
  auto find_mark = database.prepare(
      "SELECT session_id, use FROM client_marks WHERE expires_at = ?1 AND token_id = ?2 AND "
      "mark = ?3");
  auto keep_mark = database.prepare(
      "INSERT OR REPLACE INTO client_marks (expires_at, token_id, mark, session_id, use) "
      "VALUES (?1, ?2, ?3, ?4, ?5)");
  auto find_earlier = database.prepare(
      "SELECT peer FROM redemptions JOIN sessions ON sessions.id = redemptions.session_id "
      "WHERE expires_at = ?1 AND redemptions.token_id = ?2");
  if (!begin || !find_uses || !set_uses || !find_mark || !keep_mark || !find_earlier)
    return database.trouble("prepare for redemptions");
  statements_.emplace(*std::move(begin), *std::move(find_uses), *std::move(set_uses),
                      *std::move(find_mark), *std::move(keep_mark), *std::move(find_earlier));
  return &*statements_;
}

base::Result<SqliteRedemptions::Retry> SqliteRedemptions::retried(
    SqliteDatabase& database, const rules::Redemption& redemption) {
  auto& find = statements_->find_mark;
  for (const auto& mark : redemption.client_marks) {
    find.bind(1, base::unix_millis(redemption.expires_at)).bind_blob(2, redemption.id);
    find.bind_blob(3, mark);
    const auto outcome = find.step();
    const bool is_known = outcome == SqliteStatement::Step::row;
    const auto session_id = is_known ? std::string(find.text(0)) : std::string();
    const int use = is_known ? static_cast<int>(find.integer(1)) : 0;
    find.reset();
    if (outcome == SqliteStatement::Step::failed) return database.trouble("find a client's mark");
    if (!is_known) continue;
    auto resumed = ledger_.resume(database, session_id, redemption);
    if (!resumed) return base::fail(resumed.error());
    if (!*resumed) return Retry{.is_known_client = true};
    (*resumed)->use = use;
    return Retry{true, **std::move(resumed)};
  }
  return Retry{};
}

// 0: all uses are spent. Nobody else comes between the statements: the writer's transaction has
// begun with the database's only lock for writing.
base::Result<int> SqliteRedemptions::count_use(SqliteDatabase& database,
                                               const rules::Redemption& redemption) {
  const auto expires_at = base::unix_millis(redemption.expires_at);
  auto& begin = statements_->begin;
  begin.bind(1, expires_at).bind_blob_in_place(2, redemption.id);
  begin.bind(3, base::unix_millis(redemption.at)).bind_in_place(4, redemption.session.id);
  if (!begin.run()) return database.trouble("redeem");
  if (database.changes() == 1) return 1;
  const auto uses = uses_of(database, redemption);
  if (!uses) return uses;
  if (*uses >= redemption.uses_max) return 0;
  auto& set = statements_->set_uses;
  set.bind(1, expires_at).bind_blob_in_place(2, redemption.id).bind(3, *uses + 1);
  if (!set.run()) return database.trouble("redeem again");
  return *uses + 1;
}

base::Result<int> SqliteRedemptions::uses_of(SqliteDatabase& database,
                                             const rules::Redemption& redemption) {
  auto& find = statements_->find_uses;
  find.bind(1, base::unix_millis(redemption.expires_at)).bind_blob_in_place(2, redemption.id);
  const auto outcome = find.step();
  const int uses = outcome == SqliteStatement::Step::row ? static_cast<int>(find.integer(0)) : 0;
  find.reset();
  if (outcome == SqliteStatement::Step::failed) return database.trouble("find a redemption");
  return uses;
}

base::Result<base::Done> SqliteRedemptions::keep_mark(SqliteDatabase& database,
                                                      const rules::Redemption& redemption,
                                                      int use) {
  if (redemption.client_marks.empty()) return base::Done{};
  auto& keep = statements_->keep_mark;
  keep.bind(1, base::unix_millis(redemption.expires_at)).bind_blob(2, redemption.id);
  keep.bind_blob(3, redemption.client_marks.front()).bind(4, redemption.session.id).bind(5, use);
  if (!keep.run()) return database.trouble("keep a client's mark");
  return base::Done{};
}

std::string SqliteRedemptions::earlier_peer(const rules::Redemption& redemption) {
  auto& find = statements_->find_earlier;
  find.bind(1, base::unix_millis(redemption.expires_at)).bind_blob(2, redemption.id);
  std::string peer;
  if (find.step() == SqliteStatement::Step::row) peer = find.text(0);
  find.reset();
  return peer;
}

base::Result<rules::Redeemed> SqliteRedemptions::redeem_in(SqliteDatabase& database,
                                                           const rules::Redemption& redemption) {
  if (const auto ready = statements_for(database); !ready) return base::fail(ready.error());
  auto again = retried(database, redemption);
  if (!again) return base::fail(again.error());
  if (again->resumed) return *std::move(again->resumed);
  if (redemption.counts == rules::Redemption::Counts::retry_only) {
    const auto used = uses_of(database, redemption);
    if (!used) return base::fail(used.error());
    if (*used < redemption.uses_max)
      return base::fail(base::ErrorCode::concurrency_limited, "no room, and this is no retry");
  }
  const auto use = count_use(database, redemption);
  if (!use) return base::fail(use.error());
  rules::Redeemed redeemed;
  redeemed.use = *use;
  redeemed.began_at = redeemed.counted_until = redemption.session.began_at;
  if (*use == 0) {
    redeemed.kind = rules::Redeemed::Kind::spent;
    redeemed.earlier_peer = earlier_peer(redemption);
    redeemed.is_own = again->is_known_client;
    return redeemed;
  }
  redeemed.session_id = redemption.session.id;
  if (auto kept = keep_mark(database, redemption, *use); !kept) return base::fail(kept.error());
  if (auto begun = ledger_.begin(database, redemption); !begun) return base::fail(begun.error());
  return redeemed;
}

void SqliteRedemptions::redeem(const rules::Redemption& redemption, Answer answer) {
  struct Pending {
    base::Result<rules::Redeemed> outcome =
        base::fail(base::ErrorCode::unavailable, "not redeemed");
    Answer answer;
  };
  auto pending = std::make_shared<Pending>();
  pending->answer = std::move(answer);
  const bool taken = writer_.submit({.work =
                                         [this, redemption, pending](SqliteDatabase& database) {
                                           pending->outcome = redeem_in(database, redemption);
                                           return done_or_error(pending->outcome);
                                         },
                                     .done =
                                         [pending](const base::Result<base::Done>& kept) {
                                           if (!kept) pending->outcome = base::fail(kept.error());
                                           pending->answer(std::move(pending->outcome));
                                         },
                                     .may_repeat = true});
  if (!taken)
    pending->answer(base::fail(base::ErrorCode::unavailable, "too many redemptions wait"));

  const auto now = clock_.now();
  auto due = forget_at_.load(std::memory_order_relaxed);
  if (base::unix_millis(now) >= due &&
      forget_at_.compare_exchange_strong(due, base::unix_millis(now + between_forgettings)))
    forget_expired();
}

void SqliteRedemptions::forget_expired() {
  const auto before = base::unix_millis(clock_.now() - kept_after_expiry);
  auto forgotten = std::make_shared<std::int64_t>(0);
  (void)writer_.submit(
      {.work = [before, forgotten](SqliteDatabase& database) -> base::Result<base::Done> {
         auto forget = database.prepare(
             "DELETE FROM redemptions WHERE (expires_at, token_id) IN (SELECT expires_at, "
             "token_id FROM redemptions WHERE expires_at < ?1 LIMIT ?2)");
         if (!forget || !forget->bind(1, before).bind(2, forgotten_at_once_max).run())
           return database.trouble("forget redemptions");
         *forgotten = database.changes();
         auto marks = database.prepare(
             "DELETE FROM client_marks WHERE (expires_at, token_id, mark) IN (SELECT "
             "expires_at, token_id, mark FROM client_marks WHERE expires_at < ?1 LIMIT ?2)");
         if (!marks || !marks->bind(1, before).bind(2, forgotten_at_once_max).run())
           return database.trouble("forget clients' marks");
         return base::Done{};
       },
       .done =
           [this, forgotten](const base::Result<base::Done>& kept) {
             // There is more: the next redemption goes on with it.
             if (kept && *forgotten == forgotten_at_once_max) forget_at_ = 0;
           }});
}

}  // namespace stagedoor::store
