#include "store/token_revocation_rows.h"

#include <vector>

namespace stagedoor::store {

using Step = SqliteStatement::Step;

base::Result<std::int64_t> insert_revocation(SqliteDatabase& database,
                                             const rules::TokenRevocation& revocation) {
  auto add = database.prepare(
      "INSERT INTO token_revocations (subject, workspace_id, app_id, environment, value, "
      "minted_until, forget_at, change) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, (SELECT "
      "ifnull(max(change), 0) + 1 FROM token_revocations)) ON CONFLICT DO UPDATE SET "
      "minted_until = max(minted_until, excluded.minted_until), "
      "forget_at = max(forget_at, excluded.forget_at), change = excluded.change RETURNING change");
  if (!add) return base::fail(add.error());
  add->bind(1, static_cast<std::int64_t>(revocation.subject)).bind(2, revocation.workspace_id);
  add->bind(3, revocation.app_id).bind(4, static_cast<std::int64_t>(revocation.environment));
  add->bind(5, revocation.value).bind(6, base::unix_millis(revocation.minted_until));
  add->bind(7, base::unix_millis(revocation.forget_at()));
  if (add->step() != Step::row) return database.trouble("revoke session tokens");
  const auto change = add->integer(0);
  if (add->step() != Step::end) return database.trouble("revoke session tokens");
  return change;
}

base::Result<base::Done> revoke_minted_by(SqliteDatabase& database, const std::string& workspace_id,
                                          const std::string& account_id,
                                          base::Instant minted_until) {
  for (const auto environment : {rules::Environment::live, rules::Environment::test}) {
    const rules::TokenRevocation revocation{.subject = rules::RevokedSubject::api_key,
                                            .workspace_id = workspace_id,
                                            .app_id = {},
                                            .environment = environment,
                                            .value = account_id,
                                            .minted_until = minted_until};
    if (const auto added = insert_revocation(database, revocation); !added)
      return base::fail(added.error());
  }
  return base::Done{};
}

base::Result<base::Done> revoke_minted_everywhere_by(SqliteDatabase& database,
                                                     const std::string& account_id,
                                                     base::Instant minted_until) {
  auto read = database.prepare(
      "SELECT workspace_id FROM members WHERE account_id = ?1 AND removed_at IS NULL");
  if (!read) return base::fail(read.error());
  read->bind(1, account_id);
  std::vector<std::string> workspaces;
  auto outcome = read->step();
  for (; outcome == Step::row; outcome = read->step()) workspaces.emplace_back(read->text(0));
  if (outcome == Step::failed) return database.trouble("read memberships");
  for (const auto& workspace : workspaces)
    if (auto done = revoke_minted_by(database, workspace, account_id, minted_until); !done)
      return done;
  return base::Done{};
}

}  // namespace stagedoor::store
