// Tokens that have been verified, by a hash of their text, so that a text need be verified once
// only. No token is kept.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/random.h"
#include "crypto/text_hash.h"
#include "rules/identity.h"

namespace stagedoor::actions {

// A table of a fixed greatest size; where it is full, a token that was not shown again since the
// last round makes room. Safe for concurrent use.
class VerifiedTokens {
 public:
  struct Entry {
    rules::Identity identity;
    std::size_t issuer = 0;        // which of the issuers
    std::uint64_t generation = 0;  // of the issuer's keys that verified it
  };
  VerifiedTokens(std::size_t entries_max, std::size_t token_bytes_max, base::Random& random);

  std::optional<Entry> find(std::string_view token);
  // A token that is too long is not kept.
  void keep(std::string_view token, Entry entry);
  std::size_t size() const;

 private:
  static constexpr std::size_t shards = 64;

  using Hash = crypto::TextHash::Digest;
  static std::uint64_t folded(const Hash& hash);
  struct Folded {
    std::size_t operator()(const Hash& hash) const { return folded(hash); }
  };
  struct Slot {
    Hash hash;
    Entry entry;
    bool was_shown_again = false;
  };
  struct Shard {
    mutable std::mutex mutex;
    std::unordered_map<Hash, std::size_t, Folded> where;
    std::vector<Slot> slots;
    std::size_t hand = 0;
  };
  Shard& shard_of(const Hash& hash) { return shards_[folded(hash) >> 48 & (shards - 1)]; }
  Slot& room_in(Shard& shard) const;

  const crypto::TextHash hash_;
  const std::size_t slots_max_;  // of a shard
  std::array<Shard, shards> shards_;
};

}  // namespace stagedoor::actions
