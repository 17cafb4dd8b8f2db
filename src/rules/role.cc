#include "rules/role.h"

#include <array>
#include <string>
#include <utility>

namespace stagedoor::rules {
namespace {

using base::ErrorCode;
using P = Permission;

constexpr std::array<std::pair<std::string_view, Role>, 4> names = {{{"viewer", Role::viewer},
                                                                     {"developer", Role::developer},
                                                                     {"admin", Role::admin},
                                                                     {"owner", Role::owner}}};

// The reads, without the audit log: it tells of everybody's networks and refusals.
constexpr Permissions of_viewers = {P::sessions_read, P::conversations_read, P::personas_read,
                                    P::keys_read,     P::apps_read,          P::usage_read,
                                    P::members_read};

// What building an app takes, and the log in which a builder finds why a call was refused; but no
// key of its own, since a key outlives the role of who made it.
constexpr Permissions of_developers = {P::tokens_mint,         P::tokens_revoke, P::sessions_end,
                                       P::conversations_write, P::tts_speak,     P::personas_write,
                                       P::keys_verify,         P::rooms_mint,    P::audit_read};

constexpr Permissions of_admins = {P::keys_write, P::apps_write, P::members_write};

// Naming the workspace and giving it up.
constexpr Permissions of_owners = {P::workspace_write};

constexpr Permissions together(Permissions a, Permissions b) {
  return Permissions::of_bits(a.bits() | b.bits());
}

}  // namespace

std::string_view name_of(Role role) {
  return names[static_cast<std::size_t>(role)].first;
}

std::optional<Role> parse_role(std::string_view text) {
  for (const auto& [name, role] : names)
    if (name == text) return role;
  return std::nullopt;
}

Permissions permissions_of(Role role) {
  auto may = of_viewers;
  if (role >= Role::developer) may = together(may, of_developers);
  if (role >= Role::admin) may = together(may, of_admins);
  if (role >= Role::owner) may = together(may, of_owners);
  return may;
}

base::Result<base::Done> check_may_give(Role by, Role given) {
  if (given <= by) return base::Done{};
  return base::fail(ErrorCode::forbidden, "a role above one's own",
                    "You are " + std::string(name_of(by)) + " here and can't make somebody " +
                        std::string(name_of(given)) + ".");
}

base::Result<base::Done> check_role_change(const RoleChange& change) {
  const bool leaves = change.whose == Whose::own && !change.to;
  if (!leaves && !permissions_of(change.by).has(Permission::members_write)) {
    return base::fail(ErrorCode::forbidden,
                      "a change of members by a " + std::string(name_of(change.by)),
                      "Only an admin or an owner changes members.");
  }
  if (change.from > change.by) {
    return base::fail(ErrorCode::forbidden, "a change of a role above one's own",
                      "You are " + std::string(name_of(change.by)) + " here and can't change an " +
                          std::string(name_of(change.from)) + ".");
  }
  if (change.to) {
    if (auto given = check_may_give(change.by, *change.to); !given) return given;
  }
  const bool stays_owner = change.to && *change.to == Role::owner;
  if (change.from == Role::owner && !stays_owner && change.owners <= 1) {
    return base::fail(ErrorCode::conflict, "the last owner",
                      "This is the last owner of the workspace; make somebody else owner first.");
  }
  return base::Done{};
}

bool must_end_minted(std::optional<Role> to) {
  return !to || !permissions_of(*to).has(Permission::tokens_mint);
}

}  // namespace stagedoor::rules
