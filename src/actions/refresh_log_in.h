// Gives a new access token and the next refresh token for a refresh token (rules/refresh_token.h).
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include "actions/people.h"

namespace stagedoor::actions {

// Safe for concurrent use; not from an event loop.
class RefreshLogIn {
 public:
  explicit RefreshLogIn(const People& people) : people_(people) {}

  // `unauthenticated` for every token that is not accepted; one that was spent before has then
  // ended its log-in. `unavailable`.
  base::Result<LoggedIn> operator()(const base::Secret& token, const CallOrigin& origin) const;

 private:
  const People& people_;
};

}  // namespace stagedoor::actions
