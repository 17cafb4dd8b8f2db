// Where unpredictable bytes come from. There is one generator in the product and it is the secure
// one (crypto/random.h); nothing that a stranger could guess ever makes an identifier.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace stagedoor::base {

// Safe for concurrent use.
class Random {
 public:
  virtual ~Random() = default;
  virtual void fill(std::span<std::uint8_t> out) = 0;
};

// `length` characters 0-9A-Za-z, each equally likely.
std::string random_base62(Random& random, std::size_t length);

// A version 4 UUID (RFC 9562 5.4), lower case.
std::string random_uuid(Random& random);

}  // namespace stagedoor::base
