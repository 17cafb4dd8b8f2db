// The body of POST /v1/auth/session-token (contract 1.1).
//
// Read as the vendor reads it where that harms nobody: members that are not known are ignored, and
// so is whatever stands beside `personaId`. Otherwise stricter: what can't be played is refused
// here, with the member named, and not when the session begins.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "actions/mint_persona_token.h"
#include "rules/persona.h"

namespace stagedoor::anam {

std::expected<actions::MintPersonaToken::Request, rules::PersonaRefusal> read_mint_request(
    std::string_view text);

// What the body of POST /v1/engine/session says of the client itself, whatever lets it in: each in
// canonical form, empty where it is not said. A body that is empty says nothing.
struct ClientSide {
  std::string metadata;         // `clientMetadata`
  std::string voice_detection;  // `sessionOptions.voiceDetection` (contract 3.2)
};
std::expected<ClientSide, rules::PersonaRefusal> read_client_side(std::string_view text);

}  // namespace stagedoor::anam
