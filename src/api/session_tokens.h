// POST /v1/session-tokens and /v1/session-tokens/revoke: minting with every limit that a token can
// have, and taking back.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "actions/mint_persona_token.h"
#include "actions/mint_session_token.h"
#include "actions/revoke_session_tokens.h"
#include "base/clock.h"
#include "front/guard.h"
#include "http/router.h"
#include "rules/caller.h"

namespace stagedoor::api {

// Safe for concurrent use.
class SessionTokens {
 public:
  struct Parts {
    const actions::MintSessionToken& mint;
    const actions::MintPersonaToken& mint_persona;
    const actions::RevokeSessionTokens& revoke;
    const base::Clock& clock;
  };
  explicit SessionTokens(Parts parts) : parts_(parts) {}
  // This must outlive the router.
  void add_to(http::Router& router, const front::Guard& guard) const;

 private:
  // 201 {"session_token", "id", "expires_at", "connect_by", "uses_max", "app_id", "environment",
  // "region", "leash": {...}, ...}: the values that were really applied.
  void mint(const rules::Caller& caller, const http::Request& request,
            http::Response& response) const;
  // The same where no persona is named, and so nothing read from the disk.
  front::Guard::Attempt mint_at_once(const rules::Caller& caller, const http::Request& request,
                                     http::Response& response) const;
  static void answer(http::Response& response,
                     const base::Result<actions::MintSessionToken::Minted>& minted,
                     std::string_view persona_id);
  // 200 {"live_sessions_ended"}.
  void revoke(const rules::Caller& caller, const http::Request& request,
              http::Response& response) const;

  Parts parts_;
};

// The body of a mint call: `malformed` with a hint that names the member at fault.
struct MintBody {
  actions::MintSessionToken::Request token;
  std::string persona_id;  // empty: none
};
base::Result<MintBody> read_mint_body(std::string_view body, base::Instant now);

struct Revocation {
  rules::RevokedSubject subject;
  std::string value;
  std::optional<rules::Environment> environment;
};
// The body of a revocation, which names exactly one subject; otherwise likewise.
base::Result<Revocation> read_revocation(std::string_view body);

}  // namespace stagedoor::api
