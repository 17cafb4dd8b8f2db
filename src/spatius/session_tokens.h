// POST /v1/console/session-tokens: an app's server trades its API key for a session token.
//
// Contract 1.2: key in X-Api-Key; body {"expireAt": seconds} or "expire_at", a number or, as proto
// JSON writes 64-bit numbers, digits in a string; `modelVersion` and unknown members are ignored;
// exactly 200 with {"sessionToken": ...}. Ours: `avatarId` binds the token to one avatar, and the
// answer repeats `expireAt`.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include "actions/mint_session_token.h"
#include "base/clock.h"
#include "base/log.h"
#include "http/request.h"
#include "http/response.h"
#include "rules/caller.h"

namespace stagedoor::spatius {

// Safe for concurrent use.
class SessionTokens {
 public:
  struct Parts {
    const actions::MintSessionToken& mint;
    base::Log& log;
  };
  explicit SessionTokens(Parts parts) : parts_(parts) {}
  void operator()(const rules::Caller& caller, const http::Request& request,
                  http::Response& response) const;

 private:
  Parts parts_;
};

}  // namespace stagedoor::spatius
