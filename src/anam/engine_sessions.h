// POST /v1/engine/session: a page trades its session token for a live face
// (contract 1.1, 3.2, 3.3).
//
// With a session token the persona is the token's; with an API key the body names it, as a mint
// call does, and one call does both.
//
// Rule engine-session-retry: the same client, by address and User-Agent, that asks again with the
// same token gets its session back, since the vendor's client asks up to three times where an
// answer is slow or lost. Any other client is refused, and suspected (rules/session_token.h). With
// an API key a call that names itself is known again (rules/idempotency_key.h).
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "actions/admit_call.h"
#include "actions/admit_connection.h"
#include "actions/mint_persona_token.h"
#include "anam/live_face.h"
#include "anam/mint_request.h"
#include "base/log.h"
#include "http/router.h"
#include "http/workers.h"
#include "rules/idempotency_key.h"
#include "rules/persona.h"

namespace stagedoor::anam {

inline constexpr std::string_view engine_session_path = "/v1/engine/session";

// Safe for concurrent use.
class EngineSessions {
 public:
  struct Parts {
    const actions::AdmitCall& admit_call;
    const actions::AdmitConnection& admit_connection;
    const actions::MintPersonaToken& mint;
    rules::PersonaSnapshots& snapshots;
    LiveFaces& faces;
    http::Workers& workers;
    base::Log& log;
    const base::Clock& clock;
    const std::atomic<bool>& is_stopping;
    EngineNames names;
    // What answers for a language model that the workspace keeps. `not_found`, `unavailable`.
    std::function<base::Result<std::shared_ptr<stage::Chat>>(const rules::ItemScope& scope,
                                                             std::string_view id)>
        language_model;
    // What searches these groups of documents.
    std::function<std::shared_ptr<stage::ToolRunner>(const rules::ItemScope& scope,
                                                     std::vector<std::string> group_ids)>
        knowledge;
    rules::Transcripts transcripts = rules::Transcripts::kept;
  };
  struct Options {
    std::string public_url;  // empty: where the request came to
    std::string region;
    // A JSON array for one session, as browsers have it (contract 3.2).
    std::function<std::string()> ice_servers;
  };
  EngineSessions(Parts parts, Options options);
  void add_to(http::Router& router) const;

 private:
  http::Task<> serve(const http::Request& request, http::Response& response) const;
  void start(const http::Request& request, http::Response& response) const;
  base::Result<base::Secret> token_of(const http::Request& request, http::Response& response,
                                      rules::Faults& faults) const;
  base::Result<base::Secret> token_by_key(const rules::Caller& caller, const http::Request& request,
                                          rules::Faults& faults) const;
  base::Result<base::Secret> minted(const rules::Caller& caller, const http::Request& request,
                                    rules::Faults& faults) const;
  actions::AdmitConnection::Admitted admitted(const http::Request& request, base::Secret token,
                                              std::optional<base::Error> no_room) const;
  // Puts in what answers where the persona names a model of its workspace, and what searches for
  // its tools.
  base::Result<base::Done> find_engines(const actions::Grant& grant, PersonaPlay& play) const;
  using Refusal = actions::AdmitConnection::Refusal;
  std::expected<LiveFaces::Address, Refusal> begun(const http::Request& request, base::Secret token,
                                                   const ClientSide& client) const;
  void refuse(const http::Request& request, http::Response& response, const Refusal& error,
              const rules::Faults& faults) const;
  void answer(const http::Request& request, http::Response& response,
              const LiveFaces::Address& address) const;

  Parts parts_;
  Options options_;
  mutable rules::NamedMints named_;
  http::BlockingHandler work_;
};

}  // namespace stagedoor::anam
