// Ends log-ins: one, or all of an account (rule log-out-everywhere in rules/account.h).
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include "actions/people.h"

namespace stagedoor::actions {

// Safe for concurrent use; not from an event loop.
class LogOut {
 public:
  explicit LogOut(const People& people) : people_(people) {}

  // Revokes the refresh tokens of the log-in that the token belongs to; an access token of it lasts
  // its hour. Done also for a token that is nobody's: then nothing is there to end.
  base::Result<base::Done> operator()(const base::Secret& refresh_token,
                                      const CallOrigin& origin) const;
  // Every refresh token and every access token, at once. `unsupported` for a person from elsewhere.
  base::Result<base::Done> everywhere(const rules::Caller& caller, const CallOrigin& origin) const;

 private:
  const People& people_;
};

}  // namespace stagedoor::actions
