// Ed25519 signatures (RFC 8032), for tokens that others must be able to check.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/secret.h"

namespace stagedoor::crypto {

// A key pair made from a 32-byte seed. Safe for concurrent use.
class Ed25519Key {
 public:
  // `seed` is exactly 32 bytes; anything else ends the process, since it is our own mistake.
  explicit Ed25519Key(const base::Secret& seed);
  Ed25519Key(Ed25519Key&&) noexcept;
  Ed25519Key& operator=(Ed25519Key&&) noexcept;
  ~Ed25519Key();

  std::string sign(std::string_view bytes) const;  // 64 bytes
  std::string public_key() const;                  // 32 bytes
  bool verifies(std::string_view bytes, std::string_view signature) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace stagedoor::crypto
