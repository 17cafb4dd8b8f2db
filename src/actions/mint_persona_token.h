// Mints a session token for a persona: checks what it names, keeps its snapshot, and mints.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <chrono>
#include <expected>
#include <optional>
#include <string>

#include "actions/mint_session_token.h"
#include "base/clock.h"
#include "rules/app.h"
#include "rules/caller.h"
#include "rules/persona.h"

namespace stagedoor::actions {

// Safe for concurrent use.
class MintPersonaToken {
 public:
  struct Parts {
    const MintSessionToken& mint;
    rules::PersonaReferences references;
    rules::PersonaSnapshots& snapshots;
    rules::Personas& personas;
    const crypto::HmacKey& address_key;  // of snapshots
    const base::Clock& clock;
  };
  explicit MintPersonaToken(Parts parts) : parts_(parts) {}

  struct Request {
    std::optional<rules::PersonaContent> content;  // or:
    std::string persona_id;                        // one that is kept
    std::string session_options;                   // canonical (rules/persona.h), or empty
    std::string client_label;
    // For faults: what the caller calls the persona, and its id.
    std::string path;
    std::string id_member = "personaId";
    std::chrono::seconds lifetime{3600};
    // What else is wished of the token, its end with it, instead of `lifetime`. Its avatar, where
    // it names one and the persona does too, must be the persona's; of two lengths the shorter
    // holds.
    std::optional<MintSessionToken::Request> token;
  };
  using Outcome = std::expected<MintSessionToken::Minted, rules::PersonaRefusal>;

  // nullopt: it takes the disk; ask `operator()`.
  std::optional<Outcome> at_once(const rules::Caller& caller, const Request& request) const;
  // Not from an event loop. `malformed` with faults for what can't be played, what MintSessionToken
  // says, `unavailable`.
  Outcome operator()(const rules::Caller& caller, const Request& request) const;

 private:
  Outcome minted(const rules::Caller& caller, const Request& request,
                 const rules::PersonaContent& content,
                 const rules::PersonaSnapshot& snapshot) const;
  std::expected<rules::PersonaContent, rules::PersonaRefusal> content_of(
      const rules::Caller& caller, const Request& request) const;
  rules::PersonaSnapshot snapshot_of(const rules::PersonaContent& content,
                                     const Request& request) const;
  // The kept one.
  std::expected<rules::PersonaContent, rules::PersonaRefusal> kept(const rules::PersonaScope& scope,
                                                                   const Request& request) const;

  Parts parts_;
};

}  // namespace stagedoor::actions
