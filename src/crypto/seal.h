// Sealing: encryption that also proves that nothing was changed (AES-256-GCM, NIST SP 800-38D).
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/random.h"
#include "base/secret.h"

namespace stagedoor::crypto {

inline constexpr std::size_t sealing_key_bytes = 32;

// A key ready to use. Safe for concurrent use; wiped at the end. The nonce of each seal is random
// and of 96 bits, so one key is good for some billion seals.
class SealingKey {
 public:
  // `key` is exactly 32 bytes; anything else ends the process, since it is our own mistake.
  explicit SealingKey(const base::Secret& key);

  // Nonce, cipher text and tag. `context` is what the text belongs to; it is not kept, and must be
  // the same when the seal is opened.
  std::string seal(std::string_view text, std::string_view context, base::Random& random) const;
  // nullopt: another key, another context, or changed.
  std::optional<base::Secret> open(std::string_view sealed, std::string_view context) const;

 private:
  base::Secret key_;
};

}  // namespace stagedoor::crypto
