// The server secret: 32 random bytes outside the database, from which every other key is derived.
//
// Rule server-secret-rotates: two generations are valid at once. What the older one made keeps
// working, what is made anew is made with the newer one, and API keys move over when they are used.
//
// Rule secret-file-private: a secret comes from a file by its path, and a file that others than
// its owner can read is refused at start: it may be in somebody else's hands already.
//
// Used by: server/workspace.h; read by store/secret_file.h
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <string_view>
#include <vector>

#include "base/secret.h"
#include "crypto/hash.h"

namespace stagedoor::rules {

inline constexpr std::size_t server_secret_bytes = 32;
inline constexpr std::size_t server_secret_generations_max = 2;

class ServerSecret {
 public:
  // `bytes` are exactly 32.
  explicit ServerSecret(const base::Secret& bytes) : key_(bytes) {}

  // Keys for separate uses, so that one never stands in for another (domain separation).
  crypto::HmacKey api_key_hashing() const { return crypto::HmacKey(derived("api keys 1")); }
  crypto::HmacKey client_marking() const { return crypto::HmacKey(derived("client marks 1")); }
  base::Secret token_secret() const { return derived("session tokens 1"); }
  base::Secret people_token_seed() const { return derived("people tokens 1"); }
  base::Secret sealing_secret() const { return derived("kept secrets 1"); }
  crypto::HmacKey share_token_hashing() const { return crypto::HmacKey(derived("share links 1")); }
  crypto::HmacKey snapshot_addressing() const {
    return crypto::HmacKey(derived("persona snapshots 1"));
  }
  crypto::HmacKey refresh_tokens() const { return crypto::HmacKey(derived("refresh tokens 1")); }

 private:
  base::Secret derived(std::string_view use) const {
    const auto digest = key_.mac(use);
    return base::Secret(
        std::string_view(reinterpret_cast<const char*>(digest.data()), digest.size()));
  }
  crypto::HmacKey key_;
};

}  // namespace stagedoor::rules
