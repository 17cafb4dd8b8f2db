// How much an API key can do, to compare two of them.
//
// Rule api-key-never-stronger: what one key makes, rotates, imports or unfreezes has at most its
// own scopes, networks, life and rate limit, and is of its own app and environment; what a person
// makes has at most the scopes that their role covers. Otherwise a key with few rights, once
// stolen, would be a key with all. Scopes, networks and limit of a key never change; its end does,
// when it is rotated, so that one is compared once more in the transaction that makes or gives back
// a key: a key that retires leaves nothing behind that outlives it.
//
// Used by: actions/key_manager.h, store/sqlite_api_key_records.h
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/network.h"
#include "base/result.h"
#include "rules/api_key.h"
#include "rules/permission.h"
#include "rules/rate_limit.h"

namespace stagedoor::rules {

// The limits of API keys by tier. A tier that is not there has that of "free".
using RateTiers = std::map<std::string, RateLimit, std::less<>>;
RateLimit limit_of(const ApiKeyTerms& terms, const RateTiers& tiers);

struct ApiKeyStrength {
  Permissions scopes;
  std::vector<base::Network> networks;  // empty: from anywhere
  std::optional<base::Instant> expires_at;
  RateLimit limit;
};
ApiKeyStrength strength_of(const ApiKeyTerms& terms, std::optional<base::Instant> expires_at,
                           const RateTiers& tiers);

// `forbidden` with a hint that names what would be stronger.
base::Result<base::Done> check_not_stronger(const ApiKeyStrength& wanted,
                                            const ApiKeyStrength& maker);
base::Result<base::Done> check_scopes_covered(Permissions wanted, Permissions maker);
// The same for the life alone; nullopt: without an end.
base::Result<base::Done> check_not_outliving(std::optional<base::Instant> wanted,
                                             std::optional<base::Instant> maker);

}  // namespace stagedoor::rules
