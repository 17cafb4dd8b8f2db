// What somebody wishes a new API key to be, and what it then is.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <optional>
#include <string>
#include <vector>

#include "actions/key_manager.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "rules/api_key.h"

namespace stagedoor::actions {

// What is not named is as of the key that makes it; for people and the operator: every scope that
// they may give, no expiry, any network, the tier "free".
struct KeyWish {
  std::string name;
  std::optional<std::vector<std::string>> scopes;
  std::optional<base::Instant> expires_at;
  std::optional<std::vector<std::string>> networks;
  std::optional<std::string> tier;
  std::optional<rules::RateLimit> own_limit;
};

// A key of that wish, without its id and ends. `malformed` with a hint that names what is wrong,
// `forbidden` (rule api-key-never-stronger).
base::Result<rules::ApiKey> key_of_wish(const KeyManager& manager, const ChosenApp& place,
                                        const KeyWish& wish, base::Instant now,
                                        const rules::RateTiers& tiers);

// Fits the store's signed integers.
std::uint64_t new_key_id(base::Random& random);

}  // namespace stagedoor::actions
