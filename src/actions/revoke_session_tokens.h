// Revokes what was minted for one token, end user, API key, app or avatar, and ends the live
// sessions that rest on it (rule session-token-revoked-with-its-sessions).
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "rules/app.h"
#include "rules/caller.h"
#include "rules/token_keys.h"
#include "rules/token_revocation.h"

namespace stagedoor::actions {

// Safe for concurrent use.
class RevokeSessionTokens {
 public:
  struct Parts {
    const rules::Catalog& catalog;
    const rules::TokenKeys& keys;
    rules::TokenRevocations& revocations;
    const base::Clock& clock;
  };
  explicit RevokeSessionTokens(Parts parts) : parts_(parts) {}

  struct Request {
    rules::RevokedSubject subject;
    std::string_view value;  // the token itself, or an id
    std::optional<rules::Environment> environment;
    std::string_view peer, request_id;
  };
  // How many live sessions were asked to end. A key revokes in its own app and environment, a
  // person in all apps of the workspace. `not_found` where there is no such thing there, what
  // choose_app says, `malformed`, `unavailable`. Not from an event loop.
  base::Result<std::size_t> operator()(const rules::Caller& caller, const Request& request) const;

 private:
  base::Result<rules::TokenRevocation> meant_by(const rules::Caller& caller,
                                                const Request& request) const;

  Parts parts_;
};

}  // namespace stagedoor::actions
