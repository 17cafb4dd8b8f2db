// A member: a person in a workspace, with a role (rules/role.h).
//
// Rule member-invitations-end: with a member end the open invitations that they made, and with a
// demotion those that give more than they now have: who was removed has left no way back in.
//
// Used by: actions/invite_member.h, actions/accept_invitation.h, actions/change_role.h
// Kept by: store/sqlite_members.h
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "crypto/hash.h"
#include "rules/audit.h"
#include "rules/invitation.h"
#include "rules/role.h"

namespace stagedoor::rules {

struct Account;

// Who acts on a workspace's members: an account, or the operator, who holds the data folder and may
// do what an owner may. An account without an id is nobody's, and may nothing.
class MemberActor {
 public:
  static MemberActor of_operator() { return {}; }
  static MemberActor of_account(std::string account_id) {
    MemberActor actor;
    actor.account_id_ = std::move(account_id);
    return actor;
  }
  std::string name() const { return account_id_.value_or("operator"); }
  const std::optional<std::string>& account_id() const { return account_id_; }  // nullopt: operator

 private:
  MemberActor() = default;
  std::optional<std::string> account_id_;
};

struct Membership {
  std::string workspace_id;
  std::string workspace_name;
  Role role = Role::viewer;
};

struct MemberRecord {
  std::string account_id;
  std::string email;
  std::string name;
  Role role = Role::viewer;
  base::Instant since;
};

// Where members and invitations are kept. Safe for concurrent use; not from an event loop. What
// changes something is durable, with its audit entry, when it returns; a refusal changes nothing.
// The role of `by` is read in the same step.
class MemberStore {
 public:
  virtual ~MemberStore() = default;

  // A second one for the same e-mail takes the place of the first. `forbidden` for a role above
  // that of `by`, `conflict` for one who is a member already, or too many.
  virtual base::Result<base::Done> invite(const Invitation& invitation, const crypto::Digest& hash,
                                          const MemberActor& by, AuditEntry entry) = 0;
  // Those that are open, oldest first.
  virtual base::Result<std::vector<Invitation>> invitations(const std::string& workspace_id,
                                                            base::Instant now) = 0;
  // `not_found`.
  virtual base::Result<base::Done> withdraw_invitation(const std::string& workspace_id,
                                                       const std::string& id, AuditEntry entry) = 0;
  // By its hash; or without one the newest for the account's e-mail, which must then be verified.
  // Keeps the account where it is not kept yet. `not_found`, `conflict` for one who is a member.
  virtual base::Result<Membership> accept_invitation(const std::optional<crypto::Digest>& hash,
                                                     const Account& account, AuditEntry entry) = 0;

  virtual base::Result<std::vector<MemberRecord>> members(const std::string& workspace_id) = 0;
  virtual base::Result<std::vector<Membership>> memberships(const std::string& account_id) = 0;
  // nullopt for `to`: removes. `not_found` where there is no such member, and what rules/role.h
  // refuses.
  virtual base::Result<base::Done> change_member(const std::string& workspace_id,
                                                 const std::string& account_id,
                                                 std::optional<Role> to, const MemberActor& by,
                                                 AuditEntry entry) = 0;
};

}  // namespace stagedoor::rules
