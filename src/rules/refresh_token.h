// A refresh token: with it a person stays logged in without the password.
//
//   log-in ──▶ token ──refresh──▶ spent, and the next token ──refresh──▶ ...     one family
//                 └──used again later──▶ the whole family is revoked
//
// Rule refresh-rotates: each refresh spends the token that it shows and gives the next one; a token
// lasts 30 days, so a log-in that is not used for 30 days is over.
//
// Rule refresh-reuse-revokes: a spent token that is shown again revokes all tokens of its log-in,
// and the audit log has it: either the client or a thief holds a copy, and we can't know which.
//
// Rule refresh-retry: a client whose answer was lost shows the same token again. Within 10 s of the
// first time, and while the next token is unspent, it gets the very same next token, since that is
// made from the spent one and a key that only the server has. So no retry forks a log-in: a thief
// who was as quick holds the same token as the client, and whichever is second to use it is told
// from the first. The network is not compared: a client that changes it is the one whose answers
// get lost.
//
// Rule refresh-hashed: what we keep is the SHA-256 of a token, which has 256 bits of chance: a
// stolen database contains no tokens.
//
// Used by: actions/log_in.h, actions/refresh_log_in.h
// Kept by: store/sqlite_accounts.h
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/random.h"
#include "base/secret.h"
#include "crypto/hash.h"

namespace stagedoor::rules {

inline constexpr std::chrono::days refresh_token_lifetime{30};
inline constexpr std::chrono::seconds refresh_retry_window{10};
inline constexpr std::size_t refresh_token_bytes_max = 64;
// Log-ins of one account at a time; one more ends the oldest.
inline constexpr int log_ins_per_account_max = 50;

// "sdr_" and 43 characters of base64url.
base::Secret new_refresh_token(base::Random& random);
base::Secret next_refresh_token(std::string_view spent, const crypto::HmacKey& key);
crypto::Digest hash_of_refresh_token(std::string_view token);

struct RefreshToken {
  crypto::Digest hash;
  std::string family;  // of one log-in
  std::string account_id;
  base::Instant created_at;
  base::Instant expires_at;
  std::optional<base::Instant> used_at = {};
  std::optional<base::Instant> revoked_at = {};
};

enum class RefreshVerdict : unsigned char {
  refused,      // expired or revoked; nothing more is to be said
  rotates,      // spend it, keep the next one
  comes_again,  // a lost answer: the next one is there already
  stolen,       // revoke the family
};
// `next` is what was made from this token; null: nothing was, or by another server secret.
RefreshVerdict judge(const RefreshToken& token, const RefreshToken* next, base::Instant now);

}  // namespace stagedoor::rules
