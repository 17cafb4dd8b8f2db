// Makes who is logged in a member of the workspace that invited them.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <optional>

#include "actions/people.h"

namespace stagedoor::actions {

// Safe for concurrent use; not from an event loop.
class AcceptInvitation {
 public:
  explicit AcceptInvitation(const People& people) : people_(people) {}

  // Without a code: the newest invitation for the e-mail that the person's issuer vouches for.
  // `not_found`, in the same words for every reason; `conflict` for one who is a member already.
  base::Result<rules::Membership> operator()(const rules::Caller& caller,
                                             const std::optional<base::Secret>& code,
                                             const CallOrigin& origin) const;

 private:
  base::Result<rules::Account> account_of(const rules::Caller& caller) const;

  const People& people_;
};

}  // namespace stagedoor::actions
