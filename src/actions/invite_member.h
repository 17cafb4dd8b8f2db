// Invites a person into a workspace, and takes an invitation back (rules/invitation.h).
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <string>

#include "actions/people.h"

namespace stagedoor::actions {

using rules::MemberActor;

// Safe for concurrent use; not from an event loop.
class InviteMember {
 public:
  // What of People it needs; the command line has no more.
  struct Parts {
    rules::MemberStore& members;
    const base::Clock& clock;
    base::Random& random;
  };
  explicit InviteMember(Parts parts) : parts_(parts) {}

  struct Invited {
    rules::Invitation invitation;
    base::Secret code;  // the only time that it exists
  };
  // `malformed` for the e-mail, `forbidden` for a role above that of who invites, `conflict`,
  // `unavailable`; then nothing was made.
  base::Result<Invited> operator()(const std::string& workspace_id, const MemberActor& by,
                                   std::string_view email, rules::Role role,
                                   const CallOrigin& origin) const;
  base::Result<base::Done> withdraw(const std::string& workspace_id, const MemberActor& by,
                                    const std::string& invitation_id,
                                    const CallOrigin& origin) const;

 private:
  Parts parts_;
};

}  // namespace stagedoor::actions
