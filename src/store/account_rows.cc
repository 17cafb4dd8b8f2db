#include "store/account_rows.h"

namespace stagedoor::store {

using Step = SqliteStatement::Step;

base::Result<bool> insert_account(SqliteDatabase& database, const rules::Account& account) {
  auto insert = database.prepare(
      "INSERT INTO accounts (id, email, email_key, email_is_verified, issuer, subject, name, "
      "password_hash, generation, created_at, change) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, "
      "?10, (SELECT ifnull(max(change), 0) + 1 FROM accounts)) ON CONFLICT DO NOTHING");
  if (!insert) return base::fail(insert.error());
  insert->bind(1, account.id).bind(2, account.email).bind(3, account.email_key);
  insert->bind(4, account.email_is_verified ? 1 : 0).bind(5, account.issuer);
  insert->bind(6, account.subject).bind(7, account.name).bind(8, account.password_hash);
  insert->bind(9, account.generation).bind(10, base::unix_millis(account.created_at));
  if (!insert->run()) return database.trouble("create account");
  return database.changes() > 0;
}

base::Result<std::string> workspace_name(SqliteDatabase& database, const std::string& id) {
  auto read = database.prepare("SELECT name FROM workspaces WHERE id = ?1");
  if (!read) return base::fail(read.error());
  read->bind(1, id);
  if (read->step() != Step::row) return database.trouble("name of a workspace");
  return std::string(read->text(0));
}

std::string first_workspace_of(SqliteDatabase& database, const std::string& account_id) {
  auto read = database.prepare(
      "SELECT workspace_id FROM members WHERE account_id = ?1 AND removed_at IS NULL ORDER BY "
      "since LIMIT 1");
  if (!read) return {};
  read->bind(1, account_id);
  return read->step() == Step::row ? std::string(read->text(0)) : std::string();
}

}  // namespace stagedoor::store
