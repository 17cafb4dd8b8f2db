// What the people of a workspace may do, by their role, and how roles are given and taken.
//
// Rule role-permissions: owner > admin > developer > viewer. A viewer reads what is there; a
// developer also builds with it (tokens, sessions, conversations, speech, personas, rooms); an
// admin also decides who and which key may; an owner may everything.
//
// Rule member-last-owner: the last owner of a workspace can't be removed, demoted or leave: a
// workspace that nobody may decide about could never be decided about again.
//
// Rule member-role-ceiling: nobody gives a role above their own, nor changes or removes somebody
// whose role is above theirs; so no role can be a step to a higher one.
//
// Rule session-token-ends-with-its-minter: when a member is removed, or gets a role that may not
// mint, what they minted there opens nothing any more, and the live sessions that rest on it end;
// so do those of all workspaces with a log-out everywhere and a change of password. A token would
// outlive its minter by a day otherwise.
//
// Used by: actions/invite_member.h, actions/change_role.h
// Kept by: store/sqlite_accounts.h
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <optional>
#include <string_view>

#include "base/result.h"
#include "rules/identity.h"
#include "rules/permission.h"

namespace stagedoor::rules {

// "owner", "admin", "developer", "viewer".
std::string_view name_of(Role role);
std::optional<Role> parse_role(std::string_view text);

Permissions permissions_of(Role role);

// `forbidden` where `by` is below what is given.
base::Result<base::Done> check_may_give(Role by, Role given);

enum class Whose : unsigned char { own, of_another };

// One change of one member's role.
struct RoleChange {
  Role by;                 // of who changes it
  Whose whose;             // whether they change their own
  Role from;               // what it was
  std::optional<Role> to;  // nullopt: is no member any more
  int owners;              // of the workspace, before the change
};
// `forbidden`, or `conflict` where it would leave no owner; each with a hint. Everybody may leave.
base::Result<base::Done> check_role_change(const RoleChange& change);

// Whether what the member minted ends with this change (rule session-token-ends-with-its-minter).
bool must_end_minted(std::optional<Role> to);

}  // namespace stagedoor::rules
