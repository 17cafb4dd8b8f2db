// Which session tokens are spent, in SQLite, by group commit.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <atomic>

#include "base/clock.h"
#include "rules/session_token.h"
#include "store/sqlite_writer.h"

namespace stagedoor::store {

// Safe for concurrent use. What has expired more than a day ago is forgotten: rules/session_token.h
// refuses such a token before it asks here.
class SqliteRedemptions : public rules::RedemptionStore {
 public:
  SqliteRedemptions(SqliteWriter& writer, const base::Clock& clock);
  void redeem(const rules::Redemption& redemption, Answer answer) override;

  // Forgets some of the expired rows; called by `redeem` itself, again and again while there are
  // more.
  void forget_expired();

 private:
  base::Result<int> redeem_in(SqliteDatabase& database, const rules::Redemption& redemption);

  SqliteWriter& writer_;
  const base::Clock& clock_;
  std::optional<SqliteStatement> statement_;  // the writer's thread only
  std::atomic<std::int64_t> forget_at_ = 0;
};

}  // namespace stagedoor::store
