// HMAC-SHA-1 (RFC 2104), for the protocols that know no other: STUN's MESSAGE-INTEGRITY and the
// passwords of TURN servers. Nothing of our own is protected by it.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>

#include "base/secret.h"

namespace stagedoor::crypto {

using Sha1Digest = std::array<std::uint8_t, 20>;

// A key ready to use. Safe for concurrent use; its state is wiped at the end.
class HmacSha1Key {
 public:
  explicit HmacSha1Key(const base::Secret& key);
  HmacSha1Key(HmacSha1Key&&) noexcept;
  HmacSha1Key& operator=(HmacSha1Key&&) noexcept;
  ~HmacSha1Key();

  // Of the two, one after the other; nothing is allocated.
  Sha1Digest mac(std::string_view bytes, std::string_view more = {}) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace stagedoor::crypto
