// Revocation: from now on, what was minted up to now for one subject opens nothing any more.
//
// Rule session-token-revoked-with-its-sessions: a revocation names one token, end user, API key,
// app or avatar. From the moment that it is durable no token of that subject which was minted until
// then opens a session, and each live session that rests on one is asked to end, on the node that
// was asked and on others that share the data folder. What is minted later is untouched.
//
// Rule session-token-revocation-forgotten: a revocation is forgotten when the last token that it is
// about has expired, a day later; so their number stays bounded.
//
// Rule session-token-revocation-share: revocations by token and by end user, which need name
// nothing that there is, are bounded for each workspace too, so that none uses up what others need;
// by key, app or avatar one can always be made.
//
// Used by: actions/revoke_session_tokens.h, actions/admit_connection.h
// Kept by: store/sqlite_token_revocations.h
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "rules/app.h"
#include "rules/audit.h"
#include "rules/session_token.h"

namespace stagedoor::rules {

// The order is kept in the store: add at the end.
enum class RevokedSubject : unsigned char { token, end_user, api_key, app, avatar };
inline constexpr std::size_t revoked_subject_count = 5;
// "token", "end_user", ...
std::string_view name_of(RevokedSubject subject);

// What a token, or a session that rests on it, can be revoked by.
struct RevocableToken {
  std::string_view workspace_id, app_id;
  Environment environment;
  std::string_view token_id;
  std::string_view end_user_id;  // empty: none
  std::string_view api_key_id;
  std::string_view avatar_id;  // the one that it opens or has opened
  base::Instant minted_at;

  std::string_view value_of(RevokedSubject subject) const;
};
RevocableToken revocable(const SessionToken& token, std::string_view token_id,
                         std::string_view avatar_id);

struct TokenRevocation {
  RevokedSubject subject;
  std::string workspace_id;
  std::string app_id;  // empty: in all apps of the workspace
  Environment environment;
  std::string value;  // an id, as RevocableToken has it
  base::Instant minted_until;

  bool covers(const RevocableToken& token) const;
  base::Instant forget_at() const {
    return minted_until + session_token_lifetime_max + session_token_clock_skew_max;
  }
};

// Safe for concurrent use.
class TokenRevocations {
 public:
  virtual ~TokenRevocations() = default;
  // From memory, without waiting.
  virtual bool is_revoked(const RevocableToken& token) const = 0;
  // Durable with its audit entry when it returns; then tells how many live sessions were asked to
  // end. `not_found`, and nothing kept, where the subject is an API key or avatar that is not of
  // the workspace and app; `rate_limited` while too many are kept (rule
  // session-token-revocation-share). Not from an event loop.
  virtual base::Result<std::size_t> revoke(const TokenRevocation& revocation, AuditEntry entry) = 0;
};

}  // namespace stagedoor::rules
