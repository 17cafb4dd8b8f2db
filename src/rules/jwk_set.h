// The public keys of an issuer as it publishes them: a JWK Set (RFC 7517 5).
//
// Rule jwks-bounded: at most 256 KiB and 64 keys; what is larger is no set of ours, whoever sends
// it.
//
// Rule jwks-unusable-ignored: a key that is of an unknown kind, too weak, for encryption, for
// another algorithm, or that comes with its private part, is passed over; the others stay usable,
// since issuers publish keys for several uses in one set.
//
// Rule jwks-ambiguous-ignored: of two different keys of one kind under one `kid` neither is used,
// and a token without `kid` is verified only where exactly one key fits: we never try keys until
// one fits.
//
// Used by: rules/issuer_keys.h
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "crypto/hash.h"
#include "crypto/verify.h"

namespace stagedoor::rules {

inline constexpr std::size_t jwk_set_bytes_max = 256u << 10;
inline constexpr std::size_t jwk_set_keys_max = 64;

struct Jwk {
  std::string key_id;                                   // empty: it has none
  std::optional<crypto::SignatureAlgorithm> algorithm;  // the only one that it is for
  crypto::Digest material;                              // names the key's numbers
  crypto::PublicKey key;
};

// Safe for concurrent use.
class JwkSet {
 public:
  // `malformed`, with a detail for the operator: not a set, too large, or without any usable key.
  static base::Result<JwkSet> parse(std::string_view json);

  // The one key for a token; nullptr: none, or several. `key_id` nullopt: the token names none.
  const crypto::PublicKey* find(const std::optional<std::string>& key_id,
                                crypto::SignatureAlgorithm algorithm) const;

  std::size_t size() const { return keys_.size(); }
  // The same for two sets of the same usable keys, in whatever order.
  const crypto::Digest& fingerprint() const { return fingerprint_; }

 private:
  std::vector<Jwk> keys_;
  crypto::Digest fingerprint_{};
};

}  // namespace stagedoor::rules
