// When the keys of an issuer are fetched, and until when those at hand are believed. Pure: whoever
// fetches (store/fetched_jwk_sets.h) asks here first and tells what came of it.
//
// Rule jwks-by-cache-control: a set is fresh for the max-age that came with it, less its Age, but
// for no less than a minute and no more than a day; ten minutes where nothing was said. Once four
// fifths of that have passed, a use of it fetches the next one ahead of need.
//
// Rule jwks-cool-down: whatever strangers send, an issuer is asked at most once in 30 s, and by
// one at a time; a `kid` that it was seen not to publish is not asked for again for 300 s. 128 of
// those are remembered.
//
// Rule jwks-stale-served: while an issuer does not answer, its last good set stays in use, for a
// day beyond its freshness; nobody waits for an issuer that has just failed to answer.
//
// Rule jwks-good-keys-stay: a miss, a failure or an answer that is no key set never takes a key
// away; only a good set replaces a good set.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <chrono>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace stagedoor::rules {

inline constexpr std::chrono::seconds jwks_fresh_min{60};
inline constexpr std::chrono::hours jwks_fresh_max{24};
inline constexpr std::chrono::minutes jwks_fresh_default{10};
inline constexpr std::chrono::seconds jwks_cool_down{30};
inline constexpr std::chrono::hours jwks_stale_max{24};
inline constexpr std::size_t jwks_unknown_keys_max = 128;
inline constexpr std::chrono::seconds jwks_unknown_key_kept{300};

// How long an answer is fresh, from its Cache-Control (RFC 9111 5.2.2) and Age (5.1) fields; empty
// texts: they did not come.
std::chrono::seconds jwks_freshness(std::string_view cache_control, std::string_view age);

// Not safe for concurrent use.
class JwksTimetable {
 public:
  enum class Advice {
    use,                    // the set at hand
    use_and_fetch,          // the same, and begin to fetch meanwhile
    fetch_and_wait,         // begin to fetch, and wait for it
    wait,                   // somebody fetches
    no_such_key,            // the issuer does not publish it
    unavailable,            // the issuer does not answer
    unavailable_and_fetch,  // the same, and try again meanwhile
  };
  // For a token whose key the set at hand holds, and for one whose key it does not hold.
  Advice for_known_key(base::Instant now) const;
  Advice for_unknown_key(const std::string& key_id, base::Instant now) const;

  // A fetch begins; one of the two below follows.
  void began(base::Instant now);
  void succeeded(std::chrono::seconds fresh_for, base::Instant now);
  void failed(base::Instant now);

  // A set fetched after the token came does not hold its key.
  void saw_no(const std::string& key_id, base::Instant now);

  bool is_fetching() const { return is_fetching_; }
  bool has_failed_lately(base::Instant now) const;
  // Until when the set at hand needs neither a fetch nor a look here; the epoch: not at all.
  base::Instant quiet_until() const { return refresh_at_; }

 private:
  bool may_fetch(base::Instant now) const;

  struct Unknown {
    std::string key_id;
    base::Instant until;
  };
  bool is_fetching_ = false;
  std::optional<base::Instant> fresh_until_;  // nullopt: no set at hand
  base::Instant refresh_at_{};
  std::optional<base::Instant> began_at_, failed_at_;
  std::deque<Unknown> unknown_;  // oldest first
};

}  // namespace stagedoor::rules
