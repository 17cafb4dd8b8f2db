// Changes the password of who is logged in; all other log-ins end.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include "actions/people.h"

namespace stagedoor::actions {

// Safe for concurrent use; not from an event loop.
class ChangePassword {
 public:
  explicit ChangePassword(const People& people) : people_(people) {}

  // Gives new tokens, since those before are refused from then on. `forbidden` where the current
  // password is wrong, `malformed` for the new one, `unsupported` for a person from elsewhere,
  // `unavailable`; then nothing has changed.
  base::Result<LoggedIn> operator()(const rules::Caller& caller, const base::Secret& current,
                                    const base::Secret& wanted, const CallOrigin& origin) const;

 private:
  const People& people_;
};

}  // namespace stagedoor::actions
