// Gives a member another role, or removes one (rules/role.h).
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <optional>
#include <string>

#include "actions/invite_member.h"

namespace stagedoor::actions {

// Safe for concurrent use; not from an event loop.
class ChangeRole {
 public:
  struct Parts {
    rules::MemberStore& members;
    const base::Clock& clock;
  };
  explicit ChangeRole(Parts parts) : parts_(parts) {}

  // `to` nullopt: the member is one no more. `not_found`, `forbidden`, `conflict` for the last
  // owner, `unavailable`; then nothing has changed.
  base::Result<base::Done> operator()(const std::string& workspace_id, const MemberActor& by,
                                      const std::string& account_id, std::optional<rules::Role> to,
                                      const CallOrigin& origin) const;

 private:
  Parts parts_;
};

}  // namespace stagedoor::actions
