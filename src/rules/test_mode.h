// Test mode: documented magic values with which a test key forces what live use can only wait for.
//
// Rule test-mode-forces-refusals: an avatar id or end user id of the table in
// docs/guide/test-mode.md forces one refusal at minting, one at connecting, or one end of a session
// after its first sound. It does so for test keys and tokens only; to a live key the avatar is
// unknown, and the end user is one like any other.
//
// Rule test-mode-same-code: what is forced is refused and said where and as the real thing is: the
// same error goes the same way through the same door, and a session ends by the same call.
//
// Used by: actions/mint_session_token.h, actions/admit_connection.h, and the doors' sessions
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "base/result.h"
#include "rules/app.h"
#include "rules/live_session.h"

namespace stagedoor::rules {

enum class ForcedAt : unsigned char { minting, connecting, performing };

// One line of the table.
struct TestForce {
  std::string_view avatar_id;
  std::string_view end_user_id;
  ForcedAt at;
  base::ErrorCode error = base::ErrorCode::unsupported;  // at minting and connecting
  SessionEnd end = SessionEnd::ended;                    // while performing
};
std::span<const TestForce> test_forces();

// Whether the avatar is one of the table's, for whoever asks in this environment.
bool is_test_avatar(Environment environment, std::string_view avatar_id);

// The refusal that is forced at this step, or Done. The avatar's comes before the end user's.
base::Result<base::Done> forced_refusal(ForcedAt at, Environment environment,
                                        std::string_view avatar_id, std::string_view end_user_id);

// The end that is forced on a session after its first sound.
std::optional<SessionEnd> forced_end(Environment environment, std::string_view avatar_id,
                                     std::string_view end_user_id);

}  // namespace stagedoor::rules
