// A person as an identity provider, or we ourselves, vouch for them.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "rules/permission.h"

namespace stagedoor::rules {

// What a verified token says. Only an IdentityVerifier makes one from a token.
struct Identity {
  std::string issuer;   // iss
  std::string subject;  // sub, never empty
  std::string email;    // empty: none was said
  bool email_is_verified = false;
  base::Instant issued_at, expires_at;
  std::int64_t generation = 0;  // of the account, in tokens of our own; 0 otherwise
};

// Turns a person's JWT into an Identity. Safe for concurrent use.
class IdentityVerifier {
 public:
  virtual ~IdentityVerifier() = default;
  // From what is known already, without waiting. nullopt: it needs time (a signature, a fetch).
  virtual std::optional<base::Result<Identity>> at_once(std::string_view token,
                                                        base::Instant now) = 0;
  // May take time; not from an event loop. `unauthenticated`, `token_expired` (only for a genuine
  // one), `unavailable` where the issuer's keys can't be had.
  virtual base::Result<Identity> verify(std::string_view token, base::Instant now) = 0;
};

// owner > admin > developer > viewer (rules/account.h).
enum class Role : unsigned char { viewer, developer, admin, owner };

// A person as we know them: the account behind an identity, and what it may in one workspace.
struct Member {
  std::string account_id;    // "acc_..."
  std::string workspace_id;  // empty: a person without a workspace, an end user
  Role role = Role::viewer;
  Permissions permissions;  // what the role may
};

// Safe for concurrent use; from memory, without waiting.
class Members {
 public:
  virtual ~Members() = default;
  // The member that an identity stands for in the named workspace, or, where none is named, in the
  // first that it belongs to. A person whom we do not know has no workspace and no permissions;
  // `unauthenticated` where the account has since logged out everywhere or is gone; `not_found`
  // where it does not belong to the workspace named.
  virtual base::Result<Member> member_of(const Identity& identity,
                                         std::string_view workspace_id) const = 0;
  // nullopt: it is no member there, or no longer.
  virtual std::optional<Role> role_of(const std::string& account_id,
                                      std::string_view workspace_id) const = 0;
};

}  // namespace stagedoor::rules
