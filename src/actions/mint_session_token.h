// Mints a session token for a caller. Writes nothing (rule session-token-minting-writes-nothing).
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "actions/limit_end_user.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "base/secret.h"
#include "rules/app.h"
#include "rules/caller.h"
#include "rules/monthly_minutes.h"
#include "rules/session_token.h"
#include "rules/token_keys.h"

namespace stagedoor::actions {

// Safe for concurrent use.
class MintSessionToken {
 public:
  struct Parts {
    const rules::Catalog& catalog;
    const rules::TokenKeys& keys;
    const LimitEndUser& limit_end_user;
    const rules::MinuteMeter& minutes;
    const base::Clock& clock;
    base::Random& random;
  };
  struct Options {
    std::string issuer = "stagedoor";
    std::string region = "us-west";
    // A token that has not been used by then opens nothing; zero: only its expiry counts.
    std::chrono::seconds connect_within{0};
  };
  MintSessionToken(Parts parts, Options options) : parts_(parts), options_(std::move(options)) {}

  // What the caller may narrow. Empty fields take the app's own limits; a wish beyond those is cut
  // down to them, and the answer states what was applied.
  struct Request {
    base::Instant expires_at;                       // cut to that of the caller's key
    std::string app_id;                             // as the client named it; empty: the key's
    std::optional<rules::Environment> environment;  // a person says it
    std::string avatar_id;                          // empty: any avatar of the workspace
    std::string end_user_id;
    std::optional<int> uses_max;
    std::optional<base::Instant> connect_by;
    std::optional<std::chrono::seconds> connect_within, length_max, idle_max, warning_before;
    std::optional<int> sessions_max;
    std::vector<std::string> regions, allowed_origins;
    std::string metadata;                         // a JSON object in compact form, or empty
    rules::PersonaClaim persona = {};             // its snapshot is kept already
    std::string_view peer = {}, request_id = {};  // for the audit log; they outlive the call
  };
  struct Minted {
    base::Secret token;
    rules::SessionToken applied;
  };

  // `malformed` for a lifetime that may not be, an end user's id over 256 bytes, or what makes the
  // token longer than 4096; what choose_app says; `avatar_unknown` where the avatar is not one of
  // the workspace; `rate_limited` where the end user's own limit is used up; `payment_required`
  // where the app's minutes of this month are.
  base::Result<Minted> operator()(const rules::Caller& caller, const Request& request) const;

 private:
  rules::Leash leash_for(const rules::App& app, const Request& request, base::Instant expires_at,
                         base::Instant now) const;

  Parts parts_;
  Options options_;
};

}  // namespace stagedoor::actions
