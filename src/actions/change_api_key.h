// Freezes, unfreezes and revokes an API key.
//
// Rule api-key-self-revoke: whoever holds a key may revoke it, whatever its scopes and networks,
// and from wherever: holding it is proof enough, and a finder must not need an owner to make it
// harmless. Also a frozen or expired one, which an owner could bring back; one that is revoked
// already stays as it is, and that is not recorded again, since its holder is nobody by then.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <string>

#include "actions/key_manager.h"
#include "base/clock.h"
#include "base/result.h"
#include "rules/api_key_records.h"
#include "rules/api_key_strength.h"

namespace stagedoor::actions {

// What all that change keys stand on.
struct KeyChanging {
  const rules::Catalog& catalog;
  rules::ApiKeyRecords& records;
  const rules::RateTiers& tiers;
  const base::Clock& clock;
};

// Each gives the key as it then is. `not_found` for one that the manager may not see, `malformed`
// for the reason, `conflict` for a revoked key, `unavailable`.
class FreezeApiKey {
 public:
  explicit FreezeApiKey(KeyChanging parts) : parts_(parts) {}
  base::Result<rules::ApiKey> operator()(const KeyManager& manager, std::uint64_t id,
                                         const std::string& reason) const;

 private:
  KeyChanging parts_;
};

// Also `forbidden`, where the key is stronger than the manager (rule api-key-never-stronger).
class UnfreezeApiKey {
 public:
  explicit UnfreezeApiKey(KeyChanging parts) : parts_(parts) {}
  base::Result<rules::ApiKey> operator()(const KeyManager& manager, std::uint64_t id) const;

 private:
  KeyChanging parts_;
};

// A key that is revoked already stays as it is, and that is no conflict.
class RevokeApiKey {
 public:
  explicit RevokeApiKey(KeyChanging parts) : parts_(parts) {}
  base::Result<rules::ApiKey> operator()(const KeyManager& manager, std::uint64_t id,
                                         const std::string& reason) const;
  // The caller is the key itself, in whatever standing. What its owners said of it is not told.
  base::Result<rules::ApiKey> by_holder(const rules::Caller& caller, KeyManager::Call call,
                                        const std::string& reason) const;

 private:
  KeyChanging parts_;
};

}  // namespace stagedoor::actions
