#include "store/sqlite_members.h"

#include <array>

#include "store/account_rows.h"
#include "store/token_revocation_rows.h"

namespace stagedoor::store {
namespace {

using base::ErrorCode;
using rules::Role;
using Step = SqliteStatement::Step;

constexpr std::string_view invitation_columns =
    "SELECT id, workspace_id, email_key, role, created_by, created_at, expires_at, accepted_at "
    "FROM invitations ";

rules::Invitation invitation_of(const SqliteStatement& row) {
  rules::Invitation invitation;
  invitation.id = row.text(0);
  invitation.workspace_id = row.text(1);
  invitation.email_key = row.text(2);
  invitation.role = static_cast<Role>(row.integer(3));
  invitation.created_by = row.text(4);
  invitation.created_at = instant_of(row.integer(5));
  invitation.expires_at = instant_of(row.integer(6));
  if (!row.is_null(7)) invitation.accepted_at = instant_of(row.integer(7));
  return invitation;
}

base::Result<std::int64_t> number_of(SqliteDatabase& database, std::string_view sql,
                                     std::initializer_list<std::string_view> values) {
  auto read = database.prepare(sql);
  if (!read) return base::fail(read.error());
  int at = 0;
  for (const auto value : values) read->bind(++at, value);
  if (read->step() != Step::row) return database.trouble("count");
  return read->integer(0);
}

base::Result<std::optional<Role>> role_of(SqliteDatabase& database, const std::string& workspace_id,
                                          const std::string& account_id) {
  auto read = database.prepare(
      "SELECT role FROM members WHERE workspace_id = ?1 AND account_id = ?2 AND removed_at IS "
      "NULL");
  if (!read) return base::fail(read.error());
  read->bind(1, workspace_id).bind(2, account_id);
  const auto outcome = read->step();
  if (outcome == Step::failed) return database.trouble("read a role");
  if (outcome == Step::end) return std::nullopt;
  return static_cast<Role>(read->integer(0));
}

// The role of who acts; the operator acts as an owner.
base::Result<Role> role_of_actor(SqliteDatabase& database, const std::string& workspace_id,
                                 const rules::MemberActor& by) {
  if (!by.account_id()) return Role::owner;
  const auto role = role_of(database, workspace_id, *by.account_id());
  if (!role) return base::fail(role.error());
  if (!*role) return base::fail(ErrorCode::forbidden, by.name() + " is no member any more");
  return **role;
}

// Those that are expired long ago, or accepted, are of no more use.
base::Result<base::Done> forget_invitations(SqliteDatabase& database, base::Instant now) {
  auto forget = database.prepare("DELETE FROM invitations WHERE expires_at <= ?1");
  if (!forget) return base::fail(forget.error());
  if (!forget->bind(1, base::unix_millis(now)).run()) return database.trouble("forget invitations");
  return base::Done{};
}

// Rule member-invitations-end; `role` is what who made them now has, -1 for none.
base::Result<base::Done> end_invitations_of(SqliteDatabase& database,
                                            const std::string& workspace_id,
                                            const std::string& account_id, std::int64_t role) {
  auto end = database.prepare(
      "DELETE FROM invitations WHERE workspace_id = ?1 AND created_by = ?2 AND accepted_at IS NULL "
      "AND role > ?3");
  if (!end) return base::fail(end.error());
  if (!end->bind(1, workspace_id).bind(2, account_id).bind(3, role).run())
    return database.trouble("end invitations");
  return base::Done{};
}

}  // namespace

base::Result<base::Done> SqliteMembers::invite(const rules::Invitation& invitation,
                                               const crypto::Digest& hash,
                                               const rules::MemberActor& by,
                                               rules::AuditEntry entry) {
  return writer_.run_quietly([&](SqliteDatabase& database) -> base::Result<base::Done> {
    const auto actor = role_of_actor(database, invitation.workspace_id, by);
    if (!actor) return base::fail(actor.error());
    if (auto may = rules::check_may_give(*actor, invitation.role); !may) return may;
    const auto already = number_of(
        database,
        "SELECT count(*) FROM members JOIN accounts ON accounts.id = members.account_id WHERE "
        "workspace_id = ?1 AND email_key = ?2 AND removed_at IS NULL",
        {invitation.workspace_id, invitation.email_key});
    if (!already) return base::fail(already.error());
    if (*already > 0)
      return base::fail(ErrorCode::conflict, "an invitation of a member",
                        "Somebody with this e-mail is a member already.");
    if (auto done = forget_invitations(database, invitation.created_at); !done) return done;
    auto replace = database.prepare(
        "DELETE FROM invitations WHERE workspace_id = ?1 AND email_key = ?2 AND accepted_at IS "
        "NULL");
    if (!replace) return base::fail(replace.error());
    if (!replace->bind(1, invitation.workspace_id).bind(2, invitation.email_key).run())
      return database.trouble("replace an invitation");
    const auto open = number_of(
        database,
        "SELECT count(*) FROM invitations WHERE workspace_id = ?1 AND accepted_at IS NULL",
        {invitation.workspace_id});
    if (!open) return base::fail(open.error());
    if (*open >= rules::invitations_per_workspace_max)
      return base::fail(ErrorCode::conflict, "too many open invitations",
                        "A workspace has at most 200 open invitations; withdraw some.");
    auto insert = database.prepare(
        "INSERT INTO invitations (id, hash, workspace_id, email_key, role, created_by, created_at, "
        "expires_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)");
    if (!insert) return base::fail(insert.error());
    insert->bind(1, invitation.id).bind_blob(2, hash).bind(3, invitation.workspace_id);
    insert->bind(4, invitation.email_key).bind(5, static_cast<std::int64_t>(invitation.role));
    insert->bind(6, invitation.created_by).bind(7, base::unix_millis(invitation.created_at));
    if (!insert->bind(8, base::unix_millis(invitation.expires_at)).run())
      return database.trouble("invite");
    return audit_.append(database, entry);
  });
}

base::Result<std::vector<rules::Invitation>> SqliteMembers::invitations(
    const std::string& workspace_id, base::Instant now) {
  std::vector<rules::Invitation> open;
  const auto done = readers_.read([&](SqliteDatabase& database) -> base::Result<base::Done> {
    auto read = database.prepare(std::string(invitation_columns) +
                                 "WHERE workspace_id = ?1 AND accepted_at IS NULL AND expires_at > "
                                 "?2 ORDER BY created_at, id");
    if (!read) return base::fail(read.error());
    read->bind(1, workspace_id).bind(2, base::unix_millis(now));
    while (read->step() == Step::row) open.push_back(invitation_of(*read));
    return base::Done{};
  });
  if (!done) return base::fail(done.error());
  return open;
}

base::Result<base::Done> SqliteMembers::withdraw_invitation(const std::string& workspace_id,
                                                            const std::string& id,
                                                            rules::AuditEntry entry) {
  return writer_.run_quietly([&](SqliteDatabase& database) -> base::Result<base::Done> {
    auto withdraw = database.prepare(
        "DELETE FROM invitations WHERE workspace_id = ?1 AND id = ?2 AND accepted_at IS NULL");
    if (!withdraw) return base::fail(withdraw.error());
    if (!withdraw->bind(1, workspace_id).bind(2, id).run())
      return database.trouble("withdraw an invitation");
    if (database.changes() == 0)
      return base::fail(ErrorCode::not_found, "withdraw an unknown invitation",
                        "There is no open invitation with this id.");
    return audit_.append(database, entry);
  });
}

base::Result<base::Done> SqliteMembers::join(SqliteDatabase& database,
                                             const std::string& workspace_id,
                                             const std::string& account_id, Role role,
                                             base::Instant now) {
  const auto count = number_of(
      database, "SELECT count(*) FROM members WHERE workspace_id = ?1 AND removed_at IS NULL",
      {workspace_id});
  if (!count) return base::fail(count.error());
  if (*count >= rules::members_per_workspace_max)
    return base::fail(ErrorCode::conflict, "too many members",
                      "A workspace has at most 1000 members.");
  auto insert = database.prepare(
      "INSERT INTO members (workspace_id, account_id, role, since, change) VALUES (?1, ?2, ?3, ?4, "
      "(SELECT ifnull(max(change), 0) + 1 FROM members)) ON CONFLICT (workspace_id, account_id) DO "
      "UPDATE SET role = ?3, since = ?4, removed_at = NULL, change = excluded.change WHERE "
      "removed_at IS NOT NULL");
  if (!insert) return base::fail(insert.error());
  insert->bind(1, workspace_id).bind(2, account_id).bind(3, static_cast<std::int64_t>(role));
  if (!insert->bind(4, base::unix_millis(now)).run()) return database.trouble("join");
  if (database.changes() == 0)
    return base::fail(ErrorCode::conflict, "a member joins again",
                      "You are a member of this workspace already.");
  return base::Done{};
}

base::Result<rules::Invitation> SqliteMembers::open_invitation(
    SqliteDatabase& database, const std::optional<crypto::Digest>& hash,
    const rules::Account& account, base::Instant now) {
  if (!hash && !account.email_is_verified)
    return rules::no_such_invitation("no code, and an e-mail that nobody vouches for");
  auto read = database.prepare(
      std::string(invitation_columns) +
      (hash ? "WHERE hash = ?1"
            : "WHERE email_key = ?1 AND accepted_at IS NULL AND expires_at > ?2 ORDER BY "
              "created_at DESC, id LIMIT 1"));
  if (!read) return base::fail(read.error());
  if (hash)
    read->bind_blob(1, *hash);
  else
    read->bind(1, account.email_key).bind(2, base::unix_millis(now));
  const auto outcome = read->step();
  if (outcome == Step::failed) return database.trouble("read an invitation");
  if (outcome == Step::end) return rules::no_such_invitation("an unknown invitation");
  auto invitation = invitation_of(*read);
  if (auto accepts = rules::check_accepts(invitation, account.email_key, now); !accepts)
    return base::fail(accepts.error());
  return invitation;
}

base::Result<rules::Membership> SqliteMembers::join_by(SqliteDatabase& database,
                                                       const rules::Invitation& invitation,
                                                       const std::string& account_id,
                                                       base::Instant now) {
  if (auto joined = join(database, invitation.workspace_id, account_id, invitation.role, now);
      !joined)
    return base::fail(joined.error());
  auto spend = database.prepare("UPDATE invitations SET accepted_at = ?2 WHERE id = ?1");
  if (!spend) return base::fail(spend.error());
  if (!spend->bind(1, invitation.id).bind(2, base::unix_millis(now)).run())
    return database.trouble("spend an invitation");
  auto name = workspace_name(database, invitation.workspace_id);
  if (!name) return base::fail(name.error());
  return rules::Membership{invitation.workspace_id, *std::move(name), invitation.role};
}

base::Result<rules::Membership> SqliteMembers::accept_invitation(
    const std::optional<crypto::Digest>& hash, const rules::Account& account,
    rules::AuditEntry entry) {
  rules::Membership membership;
  const auto done = writer_.run([&](SqliteDatabase& database) -> base::Result<base::Done> {
    const auto invitation = open_invitation(database, hash, account, entry.at);
    if (!invitation) return base::fail(invitation.error());
    if (!account.issuer.empty()) {
      if (auto kept = insert_account(database, account); !kept) return base::fail(kept.error());
    }
    auto joined = join_by(database, *invitation, account.id, entry.at);
    if (!joined) return base::fail(joined.error());
    membership = *std::move(joined);
    entry.workspace_id = membership.workspace_id;
    entry.detail = "as " + std::string(rules::name_of(membership.role));
    return audit_.append(database, entry);
  });
  if (!done) return base::fail(done.error());
  return membership;
}

base::Result<std::vector<rules::MemberRecord>> SqliteMembers::members(
    const std::string& workspace_id) {
  std::vector<rules::MemberRecord> members;
  const auto done = readers_.read([&](SqliteDatabase& database) -> base::Result<base::Done> {
    auto read = database.prepare(
        "SELECT accounts.id, email, name, role, since FROM members JOIN accounts ON accounts.id = "
        "members.account_id WHERE workspace_id = ?1 AND removed_at IS NULL ORDER BY since, "
        "accounts.id");
    if (!read) return base::fail(read.error());
    read->bind(1, workspace_id);
    while (read->step() == Step::row) {
      members.push_back({.account_id = std::string(read->text(0)),
                         .email = std::string(read->text(1)),
                         .name = std::string(read->text(2)),
                         .role = static_cast<Role>(read->integer(3)),
                         .since = instant_of(read->integer(4))});
    }
    return base::Done{};
  });
  if (!done) return base::fail(done.error());
  return members;
}

base::Result<std::vector<rules::Membership>> SqliteMembers::memberships(
    const std::string& account_id) {
  std::vector<rules::Membership> memberships;
  const auto done = readers_.read([&](SqliteDatabase& database) -> base::Result<base::Done> {
    auto read = database.prepare(
        "SELECT workspaces.id, name, role FROM members JOIN workspaces ON workspaces.id = "
        "members.workspace_id WHERE account_id = ?1 AND removed_at IS NULL ORDER BY since, "
        "workspaces.id");
    if (!read) return base::fail(read.error());
    read->bind(1, account_id);
    while (read->step() == Step::row)
      memberships.push_back({std::string(read->text(0)), std::string(read->text(1)),
                             static_cast<Role>(read->integer(2))});
    return base::Done{};
  });
  if (!done) return base::fail(done.error());
  return memberships;
}

base::Result<base::Done> SqliteMembers::change_member(const std::string& workspace_id,
                                                      const std::string& account_id,
                                                      std::optional<Role> to,
                                                      const rules::MemberActor& by,
                                                      rules::AuditEntry entry) {
  return writer_.run([&](SqliteDatabase& database) -> base::Result<base::Done> {
    const auto actor = role_of_actor(database, workspace_id, by);
    if (!actor) return base::fail(actor.error());
    const auto from = role_of(database, workspace_id, account_id);
    if (!from) return base::fail(from.error());
    if (!*from)
      return base::fail(ErrorCode::not_found, "change of an unknown member",
                        "There is no member with this id.");
    const auto owners = number_of(database,
                                  "SELECT count(*) FROM members WHERE workspace_id = ?1 AND role = "
                                  "3 AND removed_at IS NULL",
                                  {workspace_id});
    if (!owners) return base::fail(owners.error());
    const rules::RoleChange change{
        .by = *actor,
        .whose = by.account_id() == account_id ? rules::Whose::own : rules::Whose::of_another,
        .from = **from,
        .to = to,
        .owners = static_cast<int>(*owners)};
    if (auto may = rules::check_role_change(change); !may) return may;
    auto update = database.prepare(
        "UPDATE members SET role = ifnull(?3, role), removed_at = ?4, change = (SELECT max(change) "
        "+ 1 FROM members) WHERE workspace_id = ?1 AND account_id = ?2");
    if (!update) return base::fail(update.error());
    update->bind(1, workspace_id).bind(2, account_id);
    if (to)
      update->bind(3, static_cast<std::int64_t>(*to)).bind_null(4);
    else
      update->bind_null(3).bind(4, base::unix_millis(entry.at));
    if (!update->run()) return database.trouble("change a member");
    const auto role = to ? static_cast<std::int64_t>(*to) : -1;
    if (auto ended = end_invitations_of(database, workspace_id, account_id, role); !ended)
      return ended;
    if (rules::must_end_minted(to)) {
      if (auto ended = revoke_minted_by(database, workspace_id, account_id, entry.at); !ended)
        return ended;
    }
    return audit_.append(database, entry);
  });
}

}  // namespace stagedoor::store
