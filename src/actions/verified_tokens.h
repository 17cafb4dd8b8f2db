// Tokens that have been verified, by the SHA-256 of their text, so that a text need be verified
// once only. No token is kept, and a hash leads back to none.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <vector>

#include "crypto/hash.h"
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
  explicit VerifiedTokens(std::size_t entries_max);

  std::optional<Entry> find(const crypto::Digest& hash);
  void keep(const crypto::Digest& hash, Entry entry);
  std::size_t size() const;

 private:
  static constexpr std::size_t shards = 64;

  // The hash is as good as random, so any eight bytes of it will do.
  struct FirstBytes {
    std::size_t operator()(const crypto::Digest& hash) const;
  };
  struct Slot {
    crypto::Digest hash;
    Entry entry;
    bool was_shown_again = false;
  };
  struct Shard {
    mutable std::mutex mutex;
    std::unordered_map<crypto::Digest, std::size_t, FirstBytes> where;
    std::vector<Slot> slots;
    std::size_t hand = 0;
  };
  Shard& shard_of(const crypto::Digest& hash) { return shards_[hash[31] % shards]; }
  Slot& room_in(Shard& shard) const;

  const std::size_t slots_max_;  // of a shard
  std::array<Shard, shards> shards_;
};

}  // namespace stagedoor::actions
