// SipHash-1-3 (Aumasson and Bernstein, 2012, with the rounds that Rust's, Python's and Ruby's
// tables use): a short keyed hash for tables. Who does not know the key can't choose inputs that
// meet in one place. It is not for keeping or proving anything.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "base/random.h"

namespace stagedoor::crypto {

// Safe for concurrent use.
class SipHash {
 public:
  explicit SipHash(base::Random& random);
  explicit SipHash(const std::array<std::uint8_t, 16>& key);
  std::uint64_t operator()(std::string_view bytes) const;

 private:
  std::uint64_t key_[2];
};

}  // namespace stagedoor::crypto
