// How often a caller may call: the generic cell rate algorithm (GCRA, ITU-T I.371), exact.
//
// Rule rate-limit-gcra: "10/min burst 20" admits 20 calls at once and then one each 6 s; over any
// stretch of time T a caller gets at most burst + T * rate calls. One number is kept per caller,
// the theoretical arrival time, and one atomic step moves it; nothing is counted twice or lost.
//
// Rule rate-limit-by-kind: API keys by their tier, people, strangers, and the operations that
// guess passwords or make accounts each have their own limit, from settings.
//
// Rule rate-limit-bounded: the table has a fixed size whatever strangers send. Who finds no place
// in it shares one allowance with the others who found none: stricter for them, never looser.
//
// Rule rate-limit-by-network: strangers count by their network, IPv6 by /64; a key counts per key
// and network together, so that one who has stolen a key can't lock its owner out.
//
// Used by: actions/admit_call.h
// Kept by: store/memory_rate_limits.h
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/network.h"
#include "base/result.h"

namespace stagedoor::rules {

// `count` calls a `period`, of which `burst` may come at once.
struct RateLimit {
  std::uint32_t count = 10;
  std::chrono::milliseconds period{60'000};
  std::uint32_t burst = 20;
  bool operator==(const RateLimit&) const = default;

  // The time that one call uses up.
  std::chrono::nanoseconds interval() const {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(period) / count;
  }
};

// "10/min burst 20"; the period is sec, min, hour, day or "5 min". `malformed` with a hint.
base::Result<RateLimit> read_rate_limit(std::string_view text);
std::string text_of(const RateLimit& limit);

// Whose calls are counted together, and under which limit's name.
enum class RateKind : unsigned char {
  api_key,
  person,
  stranger,
  password,
  login,
  account_creation,
};
// "api-key", "person", ...: the policy name in the RateLimit fields.
std::string_view name_of(RateKind kind);

// What a limit said to one call, and what the caller may be told of it.
struct RateVerdict {
  bool is_allowed = false;
  bool is_shadow = false;  // it would have been refused, but the rule only watches
  RateKind kind = RateKind::stranger;
  RateLimit limit;
  std::uint32_t remaining = 0;               // calls that could come at once after this one
  base::Instant full_at;                     // when all of the burst is there again
  std::chrono::milliseconds retry_after{0};  // until one more call is admitted; 0: now
};

// One GCRA step. `arrival` is the theoretical arrival time in nanoseconds since the epoch, 0 for a
// caller never seen; it is moved only where the call is allowed.
RateVerdict take(std::int64_t& arrival_nanos, const RateLimit& limit, base::Instant now);

// Counts calls. Safe for concurrent use; without waiting.
class RateLimiter {
 public:
  virtual ~RateLimiter() = default;
  // `who` tells callers of one kind apart; it may hold any bytes.
  virtual RateVerdict take(RateKind kind, std::string_view who, const RateLimit& limit,
                           base::Instant now) = 0;
};

}  // namespace stagedoor::rules
