// The keys that sign session tokens and those that are believed.
//
// A token's first segment is compared with the headers that we would have written ourselves; the
// one that it equals names the key and with it the algorithm (rule session-token-algorithm-pinned
// in rules/session_token.h).
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/secret.h"

namespace stagedoor::rules {

enum class TokenAlgorithm { hs256, eddsa };

// Safe for concurrent use.
class TokenKeys {
 public:
  // `secrets` are token secrets of 32 bytes (rules/server_secret.h), of this server newest first,
  // then of other regions; the first one signs. All of them are believed, in either algorithm.
  TokenKeys(std::span<const base::Secret> secrets, TokenAlgorithm signs_with);
  TokenKeys(TokenKeys&&) noexcept;
  ~TokenKeys();

  // header.payload.signature, RFC 7515 7.1.
  std::string sign(std::string_view payload) const;

  // The payload of a token that one of our keys has signed; otherwise `unauthenticated`.
  base::Result<std::string> verify(std::string_view token) const;

 private:
  struct Key;
  std::vector<std::unique_ptr<Key>> keys_;
  const Key* signer_;
};

}  // namespace stagedoor::rules
