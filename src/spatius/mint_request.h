// The body of a mint call (contract 1.2), read strictly.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <expected>
#include <string_view>

#include "actions/mint_session_token.h"
#include "base/result.h"

namespace stagedoor::spatius {

// An error, and the JSON pointer of the member that it is about, or an empty one.
struct MintRefusal {
  base::Error error;
  std::string_view pointer;
};

// `malformed`, with a hint, for what is not one JSON object with `expireAt` or `expire_at` and, if
// at all, `appId` and `avatarId` as texts. Whether the values may be is the action's business.
std::expected<actions::MintSessionToken::Request, MintRefusal> read_mint_request(
    std::string_view text);

}  // namespace stagedoor::spatius
