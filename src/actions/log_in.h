// Logs a person in by e-mail and password.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include "actions/people.h"

namespace stagedoor::actions {

// Safe for concurrent use; not from an event loop.
class LogIn {
 public:
  explicit LogIn(const People& people) : people_(people) {}

  // `unauthenticated` for an unknown e-mail and for a wrong password alike; `unavailable`.
  base::Result<LoggedIn> operator()(const rules::Email& email, const base::Secret& password,
                                    const CallOrigin& origin) const;

 private:
  void renew_hash(const rules::Account& account, const base::Secret& password) const;

  const People& people_;
};

}  // namespace stagedoor::actions
