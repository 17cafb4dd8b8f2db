// Lets a connection in that shows a session token, or refuses it.
//
// The order: token, app, avatar, origin and region, place, the end user's limit, redemption. What
// costs the token its use comes last, so that a refusal for any other reason leaves it unspent.
//
// Every refusal is noted, for the workspace of whoever's token it is (rule audit-of-refusals). A
// token that we never made is a guess, and counts against the network that it came from as a
// guessed API key does (rule rate-limit-by-network); one of ours that is too late or revoked is
// none.
//
// A token that was minted for a persona opens a live face and nothing else; what such a connection
// is for, app, avatar and persona, the token alone says.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "actions/limit_end_user.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/network.h"
#include "base/random.h"
#include "base/result.h"
#include "base/secret.h"
#include "rules/api_key.h"
#include "rules/app.h"
#include "rules/audit.h"
#include "rules/event.h"
#include "rules/identity.h"
#include "rules/live_session.h"
#include "rules/monthly_minutes.h"
#include "rules/rate_limit.h"
#include "rules/redemption.h"
#include "rules/session_token.h"
#include "rules/test_mode.h"
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
  const std::string& avatar_id() const { return session_.avatar_id; }
  const rules::Leash& leash() const { return token_.leash; }
  std::string token_id() const { return rules::text_of(token_.id); }
  const std::string& session_id() const { return session_.id; }
  // Of a live face: whom it plays.
  const rules::PersonaClaim& persona() const { return token_.persona; }
  // Before the connection, where a client has come back to its session.
  base::Instant began_at() const { return session_.began_at; }
  // Set where a test value asks for it (rules/test_mode.h): the end after the first sound.
  std::optional<rules::SessionEnd> forced_end() const {
    return rules::forced_end(environment(), avatar_id(), session_.end_user_id);
  }
  // Whether a page of this origin (the field Origin) may speak for the session: `forbidden`.
  base::Result<base::Done> check_origin(const std::optional<std::string>& origin) const {
    return rules::check_origin(token_, origin, unlisted_origins_);
  }
  // Whether it is of a later connection of the same session than this one.
  bool is_later_than(const Grant& other) const {
    return entry_.connection() > other.entry_.connection();
  }
  // What is known of the session from outside.
  const rules::LiveSession& live_session() const { return session_; }
  // The connection has ended, for this reason; at the latest the end of the grant says so.
  void close(std::string_view reason) { entry_.close(reason); }

 private:
  friend class AdmitConnection;
  Grant(rules::SessionToken token, rules::LiveSession session, rules::Place place,
        rules::UnlistedOrigins unlisted_origins)
      : token_(std::move(token)),
        session_(std::move(session)),
        place_(std::move(place)),
        unlisted_origins_(unlisted_origins) {}

  rules::SessionToken token_;
  rules::LiveSession session_;
  rules::Place place_;
  rules::UnlistedOrigins unlisted_origins_;
  rules::LedgerEntry entry_;
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
    const rules::Members& members;
    const LimitEndUser& limit_end_user;
    rules::RateLimiter& limiter;
    rules::MinuteMeter& minutes;
    const rules::ClientMarker& marker;
    rules::SessionLedger& ledger;
    rules::AuditLog& audit;
    rules::EventSink& events;
    const base::Clock& clock;
    base::Random& random;
    base::Log& log;
  };
  struct Options {
    std::string region = "us-west";
    rules::RateLimit stranger{5, std::chrono::minutes(1), 10};  // of guesses, per network
    rules::UnlistedOrigins unlisted_origins = rules::UnlistedOrigins::any;
  };
  AdmitConnection(Parts parts, Options options) : parts_(parts), options_(std::move(options)) {}

  enum class Opens : unsigned char { motion, live_face };
  struct Request {
    base::Secret token;
    Opens opens = Opens::motion;
    std::string app_id;                 // of motion: as the client named it
    std::string avatar_id;              // of motion: the avatar it wants
    std::optional<std::string> origin;  // the Origin field
    // What tells a retry from a second client (rules/redemption.h).
    std::optional<base::Secret> client_nonce = {};
    std::string request_id, peer;  // for log and ledger
    base::Address client = {};     // the peer, to count its guesses
    // Why the door has no room for one more session; who comes back to one that lives is let in.
    std::optional<base::Error> no_room = {};
    // Texts that stay: "spatius", and for the audit log "GET /v2/driveningress/websocket".
    std::string_view dialect, action = {};
  };
  struct Refusal : base::Error {
    Refusal(base::Error error)  // NOLINT(google-explicit-constructor): as base::Result takes one
        : base::Error(std::move(error)) {}
    std::optional<rules::RateVerdict> limit;  // where a guess was counted
  };
  using Admitted = std::expected<Grant, Refusal>;
  using Answer = std::move_only_function<void(Admitted)>;

  // Answers once, at once or later on another thread: `unauthenticated` (also for what is revoked),
  // `token_expired`,
  // `app_unknown`, `app_mismatch`, `avatar_unknown`, `forbidden` (the token is for another avatar,
  // origin or region), `payment_required` (the app's
  // minutes of this month), `rate_limited` (the end user, or guesses), `concurrency_limited`,
  // `token_spent`, `unavailable`.
  void operator()(const Request& request, Answer answer) const;

 private:
  // What an entry says of a request; it outlives the request.
  struct Noted {
    std::string request_id, peer;
    std::string_view action;
  };
  base::Result<rules::SessionToken> genuine(const Request& request) const;
  bool may_still_mint(const rules::SessionToken& token) const;
  base::Result<base::Done> check_life(const rules::SessionToken& token, const Request& request,
                                      base::Instant now) const;
  base::Result<base::Done> check(const rules::SessionToken& token, const Request& request,
                                 base::Instant now) const;
  // Whether the token's app finds it.
  bool has_avatar(const rules::SessionToken& token, std::string_view id) const;
  base::Result<base::Done> check_motion(const rules::SessionToken& token,
                                        const Request& request) const;
  base::Result<base::Done> check_live_face(const rules::SessionToken& token) const;
  rules::LiveSession session_of(const rules::SessionToken& token, const Request& request,
                                base::Instant now) const;
  base::Result<rules::Place> room_for_new(const rules::SessionToken& token,
                                          const Request& request) const;
  // With a place, and where there is one only for who comes back: why not for others.
  struct Room {
    rules::Place place;
    std::optional<base::Error> refuses_new;
  };
  base::Result<Room> room_for(const rules::SessionToken& token, const Request& request,
                              rules::Redemption& redemption) const;
  base::Result<base::Done> count_end_user(const rules::SessionToken& token,
                                          const Request& request) const;
  Admitted granted(Grant grant, base::Result<rules::Redeemed> redeemed, const Noted& noted) const;
  Refusal guessed(const Request& request, base::Error why) const;
  void note(const Noted& noted, const rules::SessionToken* token, const base::Error& why) const;
  Refusal spent(const Grant& grant, const rules::Redeemed& redeemed, const Noted& noted) const;
  void alarm(const Grant& grant, std::string_view earlier_peer, std::string_view request_id) const;

  Parts parts_;
  Options options_;
};

}  // namespace stagedoor::actions
