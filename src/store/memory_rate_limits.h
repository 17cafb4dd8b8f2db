// Rate limits in memory: two tables of fixed size, exact on this node.
//
// Why in memory only: a limit that is forgotten at a restart costs one burst per caller; a write
// per call would cost every caller its speed.
//
// A bucket is two cache lines under one small lock. A caller has two buckets by a keyed hash with a
// key of this process, so that nobody can choose whom to meet; it takes a place in the first that
// has a free one. A place is free as soon as its caller has all of its burst back, since such a
// caller is no different from one never seen.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <set>
#include <string_view>

#include "base/clock.h"
#include "base/random.h"
#include "crypto/sip_hash.h"
#include "rules/rate_limit.h"

namespace stagedoor::store {

// Safe for concurrent use.
class MemoryRateLimits : public rules::RateLimiter {
 public:
  struct Options {
    // How many callers with less than their full burst are told apart: known ones (keys, apps,
    // people and end users), and all others. Each costs 43 bytes, taken when it is first used.
    std::size_t callers_max = 1'000'000;
    std::size_t strangers_max = 1'000'000;
    // Limits that only watch.
    std::set<rules::RateKind> shadow = {};
  };
  MemoryRateLimits(Options options, base::Random& random);
  ~MemoryRateLimits() override;
  MemoryRateLimits(const MemoryRateLimits&) = delete;
  MemoryRateLimits& operator=(const MemoryRateLimits&) = delete;

  rules::RateVerdict take(rules::RateKind kind, std::string_view who, const rules::RateLimit& limit,
                          base::Instant now) override;

  // Now and then, from one thread that may wait.
  void tend();

  struct Counts {
    std::uint64_t allowed = 0, refused = 0, shadowed = 0;
  };
  Counts counts(rules::RateKind kind) const;
  // Calls of who found no place and shared an allowance.
  std::uint64_t overflow_uses() const;
  std::size_t bytes() const;

 private:
  struct Bucket;
  class Table;
  struct alignas(64) Shard {
    std::array<std::atomic<std::uint64_t>, rules::rate_kind_count> allowed{}, refused{}, shadowed{};
    std::atomic<std::uint64_t> overflow_uses = 0;
  };
  static constexpr std::size_t shard_count = 16;

  rules::RateVerdict take_place(rules::RateKind kind, std::string_view who,
                                const rules::RateLimit& limit, base::Instant now);
  Shard& my_shard();

  const Options options_;
  std::array<bool, rules::rate_kind_count> only_watches_{};
  // One a kind: the same name under another kind is another caller.
  std::array<crypto::SipHash, rules::rate_kind_count> hashes_;
  std::unique_ptr<Table> callers_, strangers_;
  std::array<Shard, shard_count> shards_;
};

}  // namespace stagedoor::store
