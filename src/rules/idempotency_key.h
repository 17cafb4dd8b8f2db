// How a call that mints and begins at once is known again, when its answer was lost.
//
// Rule idempotency-key: whoever starts a session with an API key has no token by which we could
// know a retry: two equal calls may well mean two sessions. So such a call may name itself, in the
// header Idempotency-Key (draft-ietf-httpapi-idempotency-key-header): the same key of the same
// caller stands for the same token for two minutes, and the token gives the client its session back
// (rules/redemption.h). The same name for another body is refused.
//
// Used by: anam/engine_sessions.h
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "base/secret.h"
#include "crypto/hash.h"

namespace stagedoor::rules {

inline constexpr std::size_t idempotency_key_bytes_max = 255;
// Longer than any client goes on trying.
inline constexpr std::chrono::minutes idempotency_key_lifetime{2};

// The tokens of the last calls that named themselves, in memory: what they opened lives in this
// process too. Safe for concurrent use.
class NamedMints {
 public:
  // All callers together; beyond that the oldest is forgotten, and its retry is a new call.
  static constexpr std::size_t count_max = 4096;

  struct Call {
    std::string_view minted_by, key, body;
  };
  // The token of the earlier call of this name; nullopt: there was none. `malformed` with a hint:
  // no such key, or another body than the name stands for.
  base::Result<std::optional<base::Secret>> find(const Call& call, base::Instant now);
  // Keeps the token that was minted for a call. Gives back that of another call of this name which
  // was quicker: one stands for both. `malformed` as above.
  base::Result<base::Secret> keep(const Call& call, base::Secret token, base::Instant now);

 private:
  struct Known {
    crypto::Digest body;
    base::Secret token;
  };
  struct Kept {
    base::Instant at;
    crypto::Digest name;
  };
  base::Result<const Known*> find_under_lock(const Call& call, base::Instant now);

  std::mutex mutex_;
  std::map<crypto::Digest, Known> known_;
  std::deque<Kept> in_order_;
};

}  // namespace stagedoor::rules
