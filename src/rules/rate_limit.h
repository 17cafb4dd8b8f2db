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
// Rule rate-limit-by-network: strangers, guessers of session tokens too, count by network, IPv6 by
// /64; a key per key and network together, so that one who has stolen it can't lock its owner out.
//
// Rule rate-limit-shadow: a limit that only watches refuses nobody; what it would have refused is
// counted and noted, so that a limit can be tried before it holds.
//
// Rule rate-limit-of-app: an app may have a limit over all of its keys, beside that of each key and
// for each environment by itself, so that a hundred keys are not a hundred limits, and tests don't
// use up what live use needs. A refusal names which of the two limits it was. What takes a key, or
// what it has opened, out of use is counted for the key alone: else whoever has stolen one key of
// an app could use up the limit and keep its owner from freezing it.
//
// Rule rate-limit-of-end-user: minting for an end user, and opening sessions as one, have a limit
// of their own, by a setting or by the app, each counted by itself; so one of an app's users can't
// use up what all share. A person who mints and names no end user counts as one. What is refused so
// leaves the token unspent.
//
// Used by: actions/admit_call.h, actions/limit_end_user.h
// Kept by: store/memory_rate_limits.h
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/network.h"
#include "base/result.h"

namespace stagedoor::rules {

// `count` calls a `period`, of which `burst` may come at once. A count of 0: unlimited.
struct RateLimit {
  std::uint32_t count = 10;
  std::chrono::milliseconds period{60'000};
  std::uint32_t burst = 20;
  bool operator==(const RateLimit&) const = default;

  static RateLimit unlimited() { return {.count = 0, .period = {}, .burst = 0}; }
  bool is_unlimited() const { return count == 0; }

  // The time that one call uses up, in whole nanoseconds rounded up: stricter, never looser.
  std::chrono::nanoseconds interval() const;
  // The time in which all of the burst comes back; at most a century.
  std::chrono::nanoseconds window() const;
};

// "10/min burst 20", "3/5min", "unlimited". The period is a unit (ms, sec, min, hour, day) or so
// many of them, a day at most; count and burst are 1 to 10^9; without a burst it is the count.
// `malformed` with a hint that says what would be right.
base::Result<RateLimit> read_rate_limit(std::string_view text);
// What read_rate_limit reads back as the same.
std::string text_of(const RateLimit& limit);

// Whether `a` lets more through than `b` over some stretch of time.
bool is_higher(const RateLimit& a, const RateLimit& b);

// Whose calls are counted together, and under which limit's name.
enum class RateKind : unsigned char {
  api_key,
  person,
  stranger,
  password,
  login,
  account_creation,
  app,
  end_user,
};
// "api-key", "person", ...: the policy name in the RateLimit fields.
std::string_view name_of(RateKind kind);
std::optional<RateKind> rate_kind_of(std::string_view name);
inline constexpr std::size_t rate_kind_count = 8;

// What a limit said to one call, and what the caller may be told of it.
struct RateVerdict {
  bool is_allowed = false;
  bool is_shadow = false;  // it would have been refused, but the limit only watches
  RateKind kind = RateKind::stranger;
  RateLimit limit;
  std::uint32_t remaining = 0;               // calls that could come at once after this one
  base::Instant full_at;                     // when all of the burst is there again
  std::chrono::milliseconds retry_after{0};  // until one more call is admitted; 0: now
  std::chrono::milliseconds next_in{0};      // until `remaining` grows by one; 0: unlimited
};

// One GCRA step. `arrival_nanos` is the theoretical arrival time in nanoseconds since the epoch, 0
// for a caller never seen. It moves forward only where the call is allowed; it moves back where it
// lies further ahead than this limit can put it: the clock was set back, or the limit was another.
//
// Any values do: times before 1970 count as 1970, after 2160 as 2160.
//
// In three parts, so that whoever locks an arrival time for `take` does it shortly: what limit and
// time alone decide comes before, what the caller is told after. The limit isn't `unlimited`.
class RateStep {
 public:
  struct Taken {
    std::int64_t used_nanos = 0;  // of the window, with this call
    bool is_allowed = false;
  };

  RateStep(const RateLimit& limit, base::Instant now);
  Taken take(std::int64_t& arrival_nanos) const;
  RateVerdict verdict(const Taken& taken) const;

  std::int64_t now_nanos() const { return now_nanos_; }
  std::int64_t window_nanos() const { return window_; }

 private:
  RateLimit limit_;
  std::int64_t now_nanos_, interval_, window_;
};
// What an unlimited caller is told.
RateVerdict unlimited_verdict(base::Instant now);
// The whole step, for whoever keeps an arrival time without a lock.
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
