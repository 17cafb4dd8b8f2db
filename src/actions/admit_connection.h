// Lets a connection in that shows a session token, or refuses it.
//
// The order: token, app, avatar, origin and region, place, redemption. What costs the token its use
// comes last, so that a refusal for any other reason leaves it unspent.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "base/result.h"
#include "base/secret.h"
#include "rules/api_key.h"
#include "rules/app.h"
#include "rules/live_session.h"
#include "rules/session_token.h"
#include "rules/token_keys.h"
#include "rules/token_revocation.h"

namespace stagedoor::actions {

// What an admitted connection may do. Only AdmitConnection makes one, so holding a Grant is the
// proof that every check has passed; nothing below reads the token.
class Grant {
 public:
  const std::string& app_id() const { return token_.app_id; }
  const std::string& api_key_id() const { return token_.api_key_id; }
  rules::Environment environment() const { return token_.environment; }
  const std::string& avatar_id() const { return avatar_id_; }
  const rules::Leash& leash() const { return token_.leash; }
  std::string token_id() const { return rules::text_of(token_.id); }
  const std::string& session_id() const { return session_id_; }
  base::Instant began_at() const { return began_at_; }
  // What is known of the session from outside.
  rules::LiveSession live_session() const;

 private:
  friend class AdmitConnection;
  // Without the place, which the answer brings.
  Grant() = default;

  rules::SessionToken token_;
  std::string avatar_id_, session_id_, peer_;
  std::string_view dialect_;
  base::Instant began_at_;
  rules::Place place_;
};

// Safe for concurrent use.
class AdmitConnection {
 public:
  struct Parts {
    const rules::Catalog& catalog;
    const rules::ApiKeyStore& api_keys;
    const rules::TokenKeys& keys;
    rules::RedemptionStore& redemptions;
    rules::LiveSessions& sessions;
    const rules::TokenRevocations& revocations;
    const base::Clock& clock;
    base::Random& random;
    base::Log& log;
  };
  struct Options {
    std::string region = "us-west";
    rules::UnlistedOrigins unlisted_origins = rules::UnlistedOrigins::any;
  };
  AdmitConnection(Parts parts, Options options) : parts_(parts), options_(std::move(options)) {}

  struct Request {
    base::Secret token;
    std::string app_id;                 // as the client named it
    std::string avatar_id;              // the avatar it wants
    std::optional<std::string> origin;  // the Origin field
    std::string request_id, peer;       // for log and ledger
    std::string_view dialect;           // a text that stays: "spatius", ...
  };
  using Answer = std::move_only_function<void(base::Result<Grant>)>;

  // Answers once, at once or later on another thread: `unauthenticated` (also for what is revoked),
  // `token_expired`,
  // `app_unknown`, `app_mismatch`, `avatar_unknown`, `forbidden` (the token is for another avatar,
  // origin or region), `concurrency_limited`, `token_spent`, `unavailable`.
  void operator()(const Request& request, Answer answer) const;

 private:
  base::Result<rules::SessionToken> genuine(const Request& request, base::Instant now) const;
  base::Result<base::Done> check(const rules::SessionToken& token, const Request& request) const;
  void warn_of_reuse(const Grant& grant, std::string_view request_id) const;

  Parts parts_;
  Options options_;
};

}  // namespace stagedoor::actions
