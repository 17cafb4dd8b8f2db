// POST /v1/auth/session-token: a developer's server trades its API key for a session token.
//
// Contract 1.1 and 2: Bearer key; `personaConfig` with a persona's content or with `personaId`;
// 200 with {"sessionToken": ...}, a JWT of one hour whose payload the vendor's client reads for
// `type` and `accountId`. Ours: the answer also says what was applied.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include "actions/mint_persona_token.h"
#include "base/log.h"
#include "front/guard.h"
#include "http/router.h"

namespace stagedoor::anam {

inline constexpr std::string_view session_token_path = "/v1/auth/session-token";

// Safe for concurrent use.
class SessionTokens {
 public:
  struct Parts {
    const actions::MintPersonaToken& mint;
    base::Log& log;
  };
  explicit SessionTokens(Parts parts) : parts_(parts) {}
  void add_to(http::Router& router, const front::Guard& guard) const;

 private:
  front::Guard::Attempt at_once(const rules::Caller& caller, const http::Request& request,
                                http::Response& response) const;
  void mint(const rules::Caller& caller, const http::Request& request,
            http::Response& response) const;
  void refuse(const http::Request& request, http::Response& response,
              const rules::PersonaRefusal& why) const;
  void answer(const http::Request& request, http::Response& response,
              const actions::MintPersonaToken::Outcome& outcome) const;

  Parts parts_;
};

}  // namespace stagedoor::anam
