// Lets a connection in that shows a session token, or refuses it.
//
// The order: token, app, avatar, place, redemption. What costs the token its use comes last, so
// that a refusal for any other reason leaves it unspent.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <functional>
#include <string>

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

namespace stagedoor::actions {

// What an admitted connection may do. Only AdmitConnection makes one, so holding a Grant is the
// proof that every check has passed; nothing below reads the token.
class Grant {
 public:
  const std::string& app_id() const { return token_.app_id; }
  const std::string& api_key_id() const { return token_.api_key_id; }
  const std::string& subject() const { return token_.subject; }
  rules::Environment environment() const { return token_.environment; }
  const std::string& avatar_id() const { return avatar_id_; }
  const rules::Leash& leash() const { return token_.leash; }
  std::string token_id() const { return rules::text_of(token_.id); }
  base::Instant admitted_at() const { return admitted_at_; }

 private:
  friend class AdmitConnection;
  Grant(rules::SessionToken token, std::string avatar_id, base::Instant admitted_at,
        rules::Place place)
      : token_(std::move(token)),
        avatar_id_(std::move(avatar_id)),
        admitted_at_(admitted_at),
        place_(std::move(place)) {}

  rules::SessionToken token_;
  std::string avatar_id_;
  base::Instant admitted_at_;
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
    const base::Clock& clock;
    base::Log& log;
  };
  explicit AdmitConnection(Parts parts) : parts_(parts) {}

  struct Request {
    base::Secret token;
    std::string app_id;            // as the client named it
    std::string avatar_id;         // the avatar it wants
    std::string request_id, peer;  // for the log
  };
  using Answer = std::move_only_function<void(base::Result<Grant>)>;

  // Answers once, at once or later on another thread: `unauthenticated`, `token_expired`,
  // `app_unknown`, `app_mismatch`, `avatar_unknown`, `forbidden` (the token is for another avatar),
  // `concurrency_limited`, `token_spent`, `unavailable`.
  void operator()(const Request& request, Answer answer) const;

 private:
  base::Result<rules::SessionToken> check(const Request& request, base::Instant now) const;
  void warn_of_reuse(const rules::SessionToken& token, const Request& request) const;

  Parts parts_;
};

}  // namespace stagedoor::actions
