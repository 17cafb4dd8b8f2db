// The keys of one issuer as they are believed at the moment.
//
// Used by: actions/verify_identity.h
// Kept by: store/fetched_jwk_sets.h; FixedKeys where they are known without asking
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>

#include "base/clock.h"
#include "base/result.h"
#include "rules/jwk_set.h"
#include "rules/jwt.h"

namespace stagedoor::rules {

// A set, and which one it is: the generation grows when the keys change, and is never 0.
struct BelievedKeys {
  std::shared_ptr<const JwkSet> set;
  std::uint64_t generation = 0;
};

// Safe for concurrent use.
class IssuerKeys {
 public:
  virtual ~IssuerKeys() = default;
  // Of the keys that may be believed at `now` without waiting; 0: `keys_for` has to be asked.
  virtual std::uint64_t generation(base::Instant now) = 0;
  // The keys for a token with this header; they hold its key. May wait for the issuer; not from an
  // event loop. `token_invalid` where the issuer does not publish such a key, `unavailable` where
  // it does not answer.
  virtual base::Result<BelievedKeys> keys_for(const JwtHeader& header,
                                              crypto::SignatureAlgorithm algorithm,
                                              base::Instant now) = 0;
};

inline std::unexpected<base::Error> no_such_key() {
  return base::fail(base::ErrorCode::token_invalid, "JWT: a key that its issuer does not publish",
                    "The token is signed with a key that its issuer does not publish.");
}

// Keys that are known, such as our own.
class FixedKeys : public IssuerKeys {
 public:
  explicit FixedKeys(JwkSet set)
      : keys_{.set = std::make_shared<const JwkSet>(std::move(set)), .generation = 1} {}

  // What was verified with the former set must be verified anew.
  void replace(JwkSet set) {
    auto next = std::make_shared<const JwkSet>(std::move(set));
    const std::lock_guard lock(mutex_);
    keys_ = {.set = std::move(next), .generation = keys_.generation + 1};
  }

  std::uint64_t generation(base::Instant) override {
    const std::lock_guard lock(mutex_);
    return keys_.generation;
  }
  base::Result<BelievedKeys> keys_for(const JwtHeader& header, crypto::SignatureAlgorithm algorithm,
                                      base::Instant) override {
    const std::lock_guard lock(mutex_);
    if (keys_.set->find(header.key_id, algorithm) == nullptr) return no_such_key();
    return keys_;
  }

 private:
  std::mutex mutex_;
  BelievedKeys keys_;
};

}  // namespace stagedoor::rules
