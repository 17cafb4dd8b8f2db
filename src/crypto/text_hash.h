// A hash of texts for tables in which two texts must never be taken for one another: NH of UMAC
// (Black, Halevi, Krawczyk, Krovetz, Rogaway, 1999; RFC 4418 5.2) with words of 64 bits, twice.
//
// For any two different texts, chosen by whoever does not know the key, the odds that they hash
// alike are at most 2^-128; that is proven and rests on no assumption. The key is random and for
// one process, and a hash never leaves it: whoever saw hashes could work towards the key. It costs
// a tenth of SHA-256, which for a text of 1 KiB costs more than all else that a table does.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/random.h"

namespace stagedoor::crypto {

// Safe for concurrent use.
class TextHash {
 public:
  struct Digest {
    std::array<std::uint64_t, 4> words;
    std::uint64_t bytes;  // of the text
    bool operator==(const Digest&) const = default;
  };

  TextHash(std::size_t text_bytes_max, base::Random& random);

  // nullopt: the text is longer than `text_bytes_max`.
  std::optional<Digest> operator()(std::string_view text) const;

 private:
  std::vector<std::uint64_t> key_;
};

}  // namespace stagedoor::crypto
