// An invitation: how a person comes into a workspace.
//
// Rule invitation-single-use: an invitation's code is shown once to who invites, kept as a hash,
// and works once, for 7 days, for the e-mail that it was made for and no other.
//
// Who comes from an identity provider that vouches for their e-mail needs no code: the provider
// has proved what the code would. Our own accounts prove no e-mail, and need it.
//
// Used by: actions/invite_member.h, actions/accept_invitation.h, actions/sign_up.h
// Kept by: store/sqlite_accounts.h
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "base/secret.h"
#include "crypto/hash.h"
#include "rules/identity.h"

namespace stagedoor::rules {

inline constexpr std::chrono::days invitation_lifetime{7};
inline constexpr std::size_t invitation_code_bytes_max = 64;
// Open at one time in one workspace, and members that it may have: a list is one answer.
inline constexpr int invitations_per_workspace_max = 200;
inline constexpr int members_per_workspace_max = 1000;

// "inv_" and 43 base62 characters.
base::Secret new_invitation_code(base::Random& random);
crypto::Digest hash_of_invitation_code(std::string_view code);

struct Invitation {
  std::string id;  // "ivt_..."
  std::string workspace_id;
  std::string email_key;  // rules/account.h
  Role role = Role::viewer;
  std::string created_by;
  base::Instant created_at;
  base::Instant expires_at;
  std::optional<base::Instant> accepted_at = {};
};

// `not_found`, in the same words whatever the reason is: a code tells nothing to who may not use
// it.
base::Result<base::Done> check_accepts(const Invitation& invitation, std::string_view email_key,
                                       base::Instant now);
std::unexpected<base::Error> no_such_invitation(std::string detail);

}  // namespace stagedoor::rules
