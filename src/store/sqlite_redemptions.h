// Which session tokens are spent, in SQLite, by group commit.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <atomic>
#include <optional>
#include <string>

#include "base/clock.h"
#include "rules/redemption.h"
#include "store/sqlite_session_ledger.h"
#include "store/sqlite_writer.h"

namespace stagedoor::store {

// Safe for concurrent use. What has expired more than a day ago is forgotten: rules/session_token.h
// refuses such a token before it asks here.
class SqliteRedemptions : public rules::RedemptionStore {
 public:
  SqliteRedemptions(SqliteWriter& writer, SqliteSessionLedger& ledger, const base::Clock& clock);
  void redeem(const rules::Redemption& redemption, Answer answer) override;

  // Forgets some of the expired rows; called by `redeem` itself, again and again while there are
  // more.
  void forget_expired();

 private:
  struct Statements {
    SqliteStatement begin, find_uses, set_uses, find_mark, keep_mark, find_earlier;
  };
  base::Result<Statements*> statements_for(SqliteDatabase& database);
  base::Result<rules::Redeemed> redeem_in(SqliteDatabase& database,
                                          const rules::Redemption& redemption);
  struct Retry {
    bool is_known_client = false;
    std::optional<rules::Redeemed> resumed = {};  // not where its session is over for good
  };
  base::Result<Retry> retried(SqliteDatabase& database, const rules::Redemption& redemption);
  base::Result<int> count_use(SqliteDatabase& database, const rules::Redemption& redemption);
  base::Result<int> uses_of(SqliteDatabase& database, const rules::Redemption& redemption);
  base::Result<base::Done> keep_mark(SqliteDatabase& database, const rules::Redemption& redemption,
                                     int use);
  std::string earlier_peer(const rules::Redemption& redemption);

  SqliteWriter& writer_;
  SqliteSessionLedger& ledger_;
  const base::Clock& clock_;
  std::optional<Statements> statements_;  // the writer's thread only
  std::atomic<std::int64_t> forget_at_ = 0;
};

}  // namespace stagedoor::store
