#include "store/sqlite_redemptions.h"

#include <chrono>
#include <memory>

namespace stagedoor::store {
namespace {

constexpr std::chrono::hours kept_after_expiry{24};
constexpr std::chrono::minutes between_forgettings{10};
// Few enough that a redemption that waits behind them does not wait long.
constexpr std::int64_t forgotten_at_once_max = 2000;

}  // namespace

SqliteRedemptions::SqliteRedemptions(SqliteWriter& writer, const base::Clock& clock)
    : writer_(writer), clock_(clock) {}

base::Result<int> SqliteRedemptions::redeem_in(SqliteDatabase& database,
                                               const rules::Redemption& redemption) {
  if (!statement_) {
    // One statement, so one atomic step: the first use inserts, a further one counts up while it
    // may, and one too many changes nothing and returns no row.
    auto prepared = database.prepare(
        "INSERT INTO redemptions (expires_at, token_id, uses, first_at) VALUES (?1, ?2, 1, ?4) "
        "ON CONFLICT (expires_at, token_id) DO UPDATE SET uses = uses + 1 WHERE uses < ?3 "
        "RETURNING uses");
    if (!prepared) return base::fail(prepared.error());
    statement_ = *std::move(prepared);
  }
  statement_->bind(1, base::unix_millis(redemption.expires_at))
      .bind_blob(2, redemption.id)
      .bind(3, redemption.uses_max)
      .bind(4, base::unix_millis(redemption.at));
  auto outcome = statement_->step();
  base::Result<int> use = base::fail(base::ErrorCode::token_spent, "session token is spent");
  if (outcome == SqliteStatement::Step::row) {
    use = static_cast<int>(statement_->integer(0));
    outcome = statement_->step();
  }
  if (outcome != SqliteStatement::Step::end) use = database.trouble("redeem");
  statement_->reset();
  return use;
}

void SqliteRedemptions::redeem(const rules::Redemption& redemption, Answer answer) {
  struct Pending {
    base::Result<int> use = base::fail(base::ErrorCode::unavailable, "not redeemed");
    Answer answer;
  };
  auto pending = std::make_shared<Pending>();
  pending->answer = std::move(answer);
  const bool taken = writer_.submit(
      {.work = [this, redemption, pending](
                   SqliteDatabase& database) { pending->use = redeem_in(database, redemption); },
       .done =
           [pending](bool is_durable) {
             if (!is_durable)
               pending->use =
                   base::fail(base::ErrorCode::unavailable, "redemption could not be written");
             pending->answer(std::move(pending->use));
           }});
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
      {.work =
           [before, forgotten](SqliteDatabase& database) {
             auto forget = database.prepare(
                 "DELETE FROM redemptions WHERE (expires_at, token_id) IN (SELECT expires_at, "
                 "token_id FROM redemptions WHERE expires_at < ?1 LIMIT ?2)");
             if (forget && forget->bind(1, before).bind(2, forgotten_at_once_max).run())
               *forgotten = database.changes();
           },
       .done =
           [this, forgotten](bool) {
             // There is more: the next redemption goes on with it.
             if (*forgotten == forgotten_at_once_max) forget_at_ = 0;
           }});
}

}  // namespace stagedoor::store
