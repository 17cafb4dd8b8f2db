// The leash: what one live session may do. It is decided when the token is minted, travels inside
// the token, and the door that admits the token enforces it.
//
// Rule leash-connect-by: after `connect_by` a token opens nothing, though it has not expired; a
// token that lies about for hours is worth little.
//
// Rule leash-length: a session ends when it is `length_max` old, whatever it is doing.
//
// Rule leash-idle: a session in which no audio has come for `idle_max` ends.
//
// Rule leash-warning: where the token asks for it, the end that `length_max` brings is told of
// `warning_before` it, to the client if its dialect has words for that and in the log always.
//
// Rule leash-concurrency: while an app has `sessions_max` sessions of one environment, no further
// one of its tokens of that environment is admitted; the refused token is not spent. Live and test
// are counted apart: who has a test key can't keep live users out.
//
// Used by: rules/session_token.h, actions/admit_connection.h, spatius/motion_session.h
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <chrono>

#include "base/clock.h"

namespace stagedoor::rules {

struct Leash {
  base::Instant connect_by;
  std::chrono::seconds length_max;
  std::chrono::seconds idle_max;
  int sessions_max;
  std::chrono::seconds warning_before{0};  // before `length_max`; 0: no warning
  bool operator==(const Leash&) const = default;
};

}  // namespace stagedoor::rules
