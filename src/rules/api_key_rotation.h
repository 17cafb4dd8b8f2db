// Rotation: a successor takes over from a key, and both work for a while.
//
// Rule api-key-rotated-with-grace: the old key works for a grace of 0 to 30 days more, never past
// its own expiry; with a grace of 0 it is revoked in the same step in which its successor is made.
// A key has one successor. A frozen key gets no grace: whoever froze it did not trust it.
//
// Used by: actions/rotate_api_key.h
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "rules/api_key.h"

namespace stagedoor::rules {

inline constexpr std::chrono::seconds api_key_grace_max{std::chrono::days(30)};

// How an old key goes.
struct Retirement {
  base::Instant now;
  std::chrono::seconds grace{0};

  bool is_at_once() const { return grace.count() <= 0; }
  // The last moment of a key that retires with grace, in whole seconds.
  base::Instant end_of(std::optional<base::Instant> own_expiry) const;
};

// `malformed` for a grace that may not be.
base::Result<base::Done> check_grace(std::chrono::seconds grace);
// `conflict` with a hint where the key can't be rotated like this: revoked, expired, replaced
// already, or frozen and yet with a grace.
base::Result<base::Done> check_may_rotate(const ApiKey& key, const Retirement& retirement);

}  // namespace stagedoor::rules
