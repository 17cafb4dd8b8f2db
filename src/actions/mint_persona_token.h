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
    const rules::Catalog& catalog;
    rules::PersonaSnapshots& snapshots;
    rules::Personas& personas;
    const base::Clock& clock;
  };
  explicit MintPersonaToken(Parts parts) : parts_(parts) {}

  struct Request {
    std::optional<rules::PersonaContent> content;  // or:
    std::string persona_id;                        // one that is kept
    std::string session_options;                   // canonical (rules/persona.h), or empty
    std::string client_label;
    std::string path;  // what the caller calls the persona, for faults
    std::chrono::seconds lifetime{3600};
  };
  using Outcome = std::expected<MintSessionToken::Minted, rules::PersonaRefusal>;

  // nullopt: it takes the disk; ask `operator()`. The caller is an API key.
  std::optional<Outcome> at_once(const rules::Caller& caller, const Request& request) const;
  // Not from an event loop. `malformed` with faults for what can't be played, `unavailable`.
  Outcome operator()(const rules::Caller& caller, const Request& request) const;

 private:
  Outcome minted(const rules::Caller& caller, const Request& request,
                 const rules::PersonaContent& content,
                 const rules::PersonaSnapshot& snapshot) const;
  std::expected<rules::PersonaContent, rules::PersonaRefusal> content_of(
      const rules::Caller& caller, const Request& request) const;

  Parts parts_;
};

}  // namespace stagedoor::actions
