#include "store/sqlite_accounts.h"

#include "store/account_rows.h"
#include "store/sqlite_members.h"
#include "store/token_revocation_rows.h"

namespace stagedoor::store {
namespace {

using base::ErrorCode;
using rules::RefreshToken;
using Step = SqliteStatement::Step;

// Few enough that a log-in that waits behind them does not wait long.
constexpr std::int64_t forgotten_at_once_max = 500;

base::Result<std::optional<rules::Account>> read_account(SqliteDatabase& database,
                                                         std::string_view where,
                                                         std::string_view value) {
  auto read = database.prepare(
      "SELECT id, email, email_key, email_is_verified, issuer, subject, name, password_hash, "
      "generation, created_at FROM accounts WHERE " +
      std::string(where));
  if (!read) return base::fail(read.error());
  read->bind(1, value);
  const auto outcome = read->step();
  if (outcome == Step::failed) return database.trouble("read an account");
  if (outcome == Step::end) return std::nullopt;
  rules::Account account;
  account.id = read->text(0);
  account.email = read->text(1);
  account.email_key = read->text(2);
  account.email_is_verified = read->integer(3) != 0;
  account.issuer = read->text(4);
  account.subject = read->text(5);
  account.name = read->text(6);
  account.password_hash = read->text(7);
  account.generation = read->integer(8);
  account.created_at = instant_of(read->integer(9));
  return account;
}

base::Result<std::optional<RefreshToken>> read_token(SqliteDatabase& database,
                                                     const crypto::Digest& hash) {
  auto read = database.prepare(
      "SELECT family, account_id, created_at, expires_at, used_at, revoked_at FROM refresh_tokens "
      "WHERE hash = ?1");
  if (!read) return base::fail(read.error());
  read->bind_blob(1, hash);
  const auto outcome = read->step();
  if (outcome == Step::failed) return database.trouble("read a refresh token");
  if (outcome == Step::end) return std::nullopt;
  RefreshToken token;
  token.hash = hash;
  token.family = read->text(0);
  token.account_id = read->text(1);
  token.created_at = instant_of(read->integer(2));
  token.expires_at = instant_of(read->integer(3));
  if (!read->is_null(4)) token.used_at = instant_of(read->integer(4));
  if (!read->is_null(5)) token.revoked_at = instant_of(read->integer(5));
  return token;
}

base::Result<base::Done> insert_token(SqliteDatabase& database, const RefreshToken& token) {
  auto insert = database.prepare(
      "INSERT INTO refresh_tokens (hash, family, account_id, created_at, expires_at) VALUES (?1, "
      "?2, ?3, ?4, ?5)");
  if (!insert) return base::fail(insert.error());
  insert->bind_blob(1, token.hash).bind(2, token.family).bind(3, token.account_id);
  insert->bind(4, base::unix_millis(token.created_at));
  if (!insert->bind(5, base::unix_millis(token.expires_at)).run())
    return database.trouble("keep a refresh token");
  return base::Done{};
}

base::Result<base::Done> revoke_where(SqliteDatabase& database, std::string_view where,
                                      std::string_view value, base::Instant now) {
  auto revoke = database.prepare("UPDATE refresh_tokens SET revoked_at = ?2 WHERE " +
                                 std::string(where) + " = ?1 AND revoked_at IS NULL");
  if (!revoke) return base::fail(revoke.error());
  if (!revoke->bind(1, value).bind(2, base::unix_millis(now)).run())
    return database.trouble("revoke refresh tokens");
  return base::Done{};
}

// What expired, and the log-ins beyond as many as an account may have, the longest unused first.
base::Result<base::Done> make_room(SqliteDatabase& database, const RefreshToken& token) {
  auto forget = database.prepare(
      "DELETE FROM refresh_tokens WHERE hash IN (SELECT hash FROM refresh_tokens WHERE expires_at "
      "<= ?1 LIMIT ?2)");
  auto end = database.prepare(
      "UPDATE refresh_tokens SET revoked_at = ?2 WHERE account_id = ?1 AND revoked_at IS NULL AND "
      "family NOT IN (SELECT family FROM refresh_tokens WHERE account_id = ?1 AND revoked_at IS "
      "NULL AND used_at IS NULL ORDER BY created_at DESC LIMIT ?3)");
  if (!forget) return base::fail(forget.error());
  if (!end) return base::fail(end.error());
  const auto now = base::unix_millis(token.created_at);
  if (!forget->bind(1, now).bind(2, forgotten_at_once_max).run())
    return database.trouble("forget refresh tokens");
  if (!end->bind(1, token.account_id)
           .bind(2, now)
           .bind(3, rules::log_ins_per_account_max - 1)
           .run())
    return database.trouble("end the oldest log-ins");
  return base::Done{};
}

base::Result<base::Done> spend(SqliteDatabase& database, const RefreshToken& token,
                               const RefreshToken& next) {
  auto update = database.prepare("UPDATE refresh_tokens SET used_at = ?2 WHERE hash = ?1");
  if (!update) return base::fail(update.error());
  if (!update->bind_blob(1, token.hash).bind(2, base::unix_millis(next.created_at)).run())
    return database.trouble("spend a refresh token");
  return insert_token(database, next);
}

std::unexpected<base::Error> not_accepted(std::string detail) {
  return base::fail(ErrorCode::unauthenticated, std::move(detail),
                    "This refresh token is not accepted; log in again.");
}

base::Result<base::Done> own(SqliteDatabase& database, const rules::Membership& workspace,
                             const std::string& account_id, base::Instant now) {
  auto insert =
      database.prepare("INSERT INTO workspaces (id, name, created_at) VALUES (?1, ?2, ?3)");
  if (!insert) return base::fail(insert.error());
  insert->bind(1, workspace.workspace_id).bind(2, workspace.workspace_name);
  if (!insert->bind(3, base::unix_millis(now)).run()) return database.trouble("create workspace");
  return SqliteMembers::join(database, workspace.workspace_id, account_id, workspace.role, now);
}

// The next generation's number.
base::Result<std::int64_t> begin_generation(SqliteDatabase& database, const std::string& account_id,
                                            base::Instant now) {
  auto update = database.prepare(
      "UPDATE accounts SET generation = generation + 1, change = (SELECT max(change) + 1 FROM "
      "accounts) WHERE id = ?1 RETURNING generation");
  if (!update) return base::fail(update.error());
  update->bind(1, account_id);
  const auto outcome = update->step();
  if (outcome == Step::failed) return database.trouble("begin a generation");
  if (outcome == Step::end)
    return base::fail(ErrorCode::not_found, "the next generation of an unknown account");
  const auto generation = update->integer(0);
  if (update->step() != Step::end) return database.trouble("begin a generation");
  if (auto revoked = revoke_where(database, "account_id", account_id, now); !revoked)
    return base::fail(revoked.error());
  if (auto ended = revoke_minted_everywhere_by(database, account_id, now); !ended)
    return base::fail(ended.error());
  return generation;
}

}  // namespace

SqliteAccounts::SqliteAccounts(SqliteWriter& writer, SqliteReaders& readers, SqliteAuditLog& audit,
                               KnownPeople& people)
    : writer_(writer), readers_(readers), audit_(audit) {
  writer.on_change([&people](SqliteDatabase& database) { return people.read(database); });
}

base::Result<std::optional<rules::Membership>> SqliteAccounts::create(
    const rules::Account& account, const rules::Entrance& entrance, rules::AuditEntry entry) {
  std::optional<rules::Membership> membership;
  const auto done = writer_.run([&](SqliteDatabase& database) -> base::Result<base::Done> {
    // The invitation first: who holds none does not learn whether the e-mail is taken.
    std::optional<rules::Invitation> invitation;
    if (entrance.invitation) {
      auto open = SqliteMembers::open_invitation(database, entrance.invitation, account, entry.at);
      if (!open) return base::fail(open.error());
      invitation = *std::move(open);
    }
    const auto is_new = insert_account(database, account);
    if (!is_new) return base::fail(is_new.error());
    if (!*is_new)
      return base::fail(ErrorCode::conflict, "a second account for an e-mail",
                        "This e-mail has an account already; log in.");
    if (invitation) {
      auto joined = SqliteMembers::join_by(database, *invitation, account.id, entry.at);
      if (!joined) return base::fail(joined.error());
      membership = *std::move(joined);
    } else if (entrance.own_workspace) {
      membership = entrance.own_workspace;
      if (auto owns = own(database, *membership, account.id, entry.at); !owns) return owns;
    }
    if (membership) entry.workspace_id = membership->workspace_id;
    return audit_.append(database, entry);
  });
  if (!done) return base::fail(done.error());
  return membership;
}

base::Result<std::optional<rules::Account>> SqliteAccounts::local_account(
    const std::string& email_key) {
  base::Result<std::optional<rules::Account>> account = std::nullopt;
  const auto done = readers_.read([&](SqliteDatabase& database) -> base::Result<base::Done> {
    account = read_account(database, "issuer = '' AND email_key = ?1", email_key);
    return base::Done{};
  });
  if (!done) return base::fail(done.error());
  return account;
}

base::Result<std::optional<rules::Account>> SqliteAccounts::account(const std::string& id) {
  base::Result<std::optional<rules::Account>> account = std::nullopt;
  const auto done = readers_.read([&](SqliteDatabase& database) -> base::Result<base::Done> {
    account = read_account(database, "id = ?1", id);
    return base::Done{};
  });
  if (!done) return base::fail(done.error());
  return account;
}

base::Result<base::Done> SqliteAccounts::begin_log_in(const RefreshToken& token,
                                                      std::int64_t generation,
                                                      rules::AuditEntry entry) {
  return writer_.run_quietly([&](SqliteDatabase& database) -> base::Result<base::Done> {
    const auto account = read_account(database, "id = ?1", token.account_id);
    if (!account) return base::fail(account.error());
    if (!*account || (*account)->generation != generation)
      return base::fail(ErrorCode::unauthenticated, "an account of another generation",
                        "The account has changed meanwhile; log in again.");
    if (auto room = make_room(database, token); !room) return room;
    if (auto kept = insert_token(database, token); !kept) return kept;
    entry.workspace_id = first_workspace_of(database, token.account_id);
    return audit_.append(database, entry);
  });
}

base::Result<rules::Account> SqliteAccounts::refresh(const crypto::Digest& shown, RefreshToken next,
                                                     rules::AuditEntry entry) {
  // What is answered; a theft is kept and refused.
  base::Result<rules::Account> answer = not_accepted("an unknown refresh token");
  const auto done = writer_.run_quietly([&](SqliteDatabase& database) -> base::Result<base::Done> {
    const auto token = read_token(database, shown);
    if (!token) return base::fail(token.error());
    if (!*token) return base::Done{};
    const auto after = read_token(database, next.hash);
    if (!after) return base::fail(after.error());
    const auto verdict = rules::judge(**token, *after ? &**after : nullptr, entry.at);
    if (verdict == rules::RefreshVerdict::refused) {
      answer = not_accepted("a refresh token that is expired or revoked");
      return base::Done{};
    }
    entry.actor = entry.subject = (*token)->account_id;
    entry.workspace_id = first_workspace_of(database, (*token)->account_id);
    if (verdict == rules::RefreshVerdict::stolen) {
      answer = not_accepted("a refresh token that was used before");
      entry.action = name_of(rules::AuditAction::refresh_token_suspect_theft);
      entry.outcome = rules::AuditOutcome::refused;
      entry.detail = "a spent refresh token was shown again: its log-in is revoked";
      if (auto revoked = revoke_where(database, "family", (*token)->family, entry.at); !revoked)
        return revoked;
      return audit_.append(database, entry);
    }
    if (verdict == rules::RefreshVerdict::rotates) {
      next.account_id = (*token)->account_id;
      next.family = (*token)->family;
      if (auto spent = spend(database, **token, next); !spent) return spent;
    } else {
      entry.detail = "the same answer again";
    }
    auto account = read_account(database, "id = ?1", (*token)->account_id);
    if (!account) return base::fail(account.error());
    if (!*account) return base::Done{};
    answer = **std::move(account);
    return audit_.append(database, entry);
  });
  if (!done) return base::fail(done.error());
  return answer;
}

base::Result<base::Done> SqliteAccounts::end_log_in(const crypto::Digest& shown,
                                                    rules::AuditEntry entry) {
  return writer_.run_quietly([&](SqliteDatabase& database) -> base::Result<base::Done> {
    const auto token = read_token(database, shown);
    if (!token) return base::fail(token.error());
    if (!*token || (*token)->revoked_at) return base::Done{};
    if (auto revoked = revoke_where(database, "family", (*token)->family, entry.at); !revoked)
      return revoked;
    entry.actor = entry.subject = (*token)->account_id;
    entry.workspace_id = first_workspace_of(database, (*token)->account_id);
    return audit_.append(database, entry);
  });
}

base::Result<std::int64_t> SqliteAccounts::end_all_log_ins(const std::string& account_id,
                                                           rules::AuditEntry entry) {
  std::int64_t generation = 0;
  const auto done = writer_.run([&](SqliteDatabase& database) -> base::Result<base::Done> {
    const auto begun = begin_generation(database, account_id, entry.at);
    if (!begun) return base::fail(begun.error());
    generation = *begun;
    entry.workspace_id = first_workspace_of(database, account_id);
    return audit_.append(database, entry);
  });
  if (!done) return base::fail(done.error());
  return generation;
}

base::Result<std::int64_t> SqliteAccounts::change_password(const std::string& account_id,
                                                           const std::string& old_hash,
                                                           const std::string& new_hash,
                                                           const RefreshToken& log_in,
                                                           rules::AuditEntry entry) {
  std::int64_t generation = 0;
  const auto done = writer_.run([&](SqliteDatabase& database) -> base::Result<base::Done> {
    auto update = database.prepare(
        "UPDATE accounts SET password_hash = ?3 WHERE id = ?1 AND password_hash = ?2");
    if (!update) return base::fail(update.error());
    if (!update->bind(1, account_id).bind(2, old_hash).bind(3, new_hash).run())
      return database.trouble("change a password");
    if (database.changes() == 0)
      return base::fail(ErrorCode::conflict, "a password that has changed meanwhile",
                        "The password was changed meanwhile; log in again.");
    const auto begun = begin_generation(database, account_id, entry.at);
    if (!begun) return base::fail(begun.error());
    generation = *begun;
    if (auto kept = insert_token(database, log_in); !kept) return kept;
    entry.workspace_id = first_workspace_of(database, account_id);
    return audit_.append(database, entry);
  });
  if (!done) return base::fail(done.error());
  return generation;
}

void SqliteAccounts::rehash(const std::string& account_id, const std::string& old_hash,
                            const std::string& new_hash) {
  (void)writer_.submit(
      {.work = [account_id, old_hash,
                new_hash](SqliteDatabase& database) -> base::Result<base::Done> {
         auto update = database.prepare(
             "UPDATE accounts SET password_hash = ?3 WHERE id = ?1 AND "
             "password_hash = ?2");
         if (!update) return base::fail(update.error());
         if (!update->bind(1, account_id).bind(2, old_hash).bind(3, new_hash).run())
           return database.trouble("renew a password's hash");
         return base::Done{};
       },
       .done = [](const base::Result<base::Done>&) {}});
}

}  // namespace stagedoor::store
