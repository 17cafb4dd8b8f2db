#include "actions/admit_connection.h"

#include <memory>

#include "rules/account.h"
#include "rules/audit_trail.h"
#include "rules/built_in.h"

namespace stagedoor::actions {

using base::ErrorCode;

namespace {

// The avatar that the session would show.
const std::string& avatar_of(const rules::SessionToken& token,
                             const AdmitConnection::Request& request) {
  return request.opens == AdmitConnection::Opens::live_face ? token.avatar_id : request.avatar_id;
}

}  // namespace

base::Result<rules::SessionToken> AdmitConnection::genuine(const Request& request) const {
  const auto payload = parts_.keys.verify(request.token.expose());
  if (!payload) return base::fail(payload.error());
  return rules::read_claims(*payload);
}

// A key that is not revoked, or a person who is still there and may mint: also where the token was
// made in the moment in which they were removed.
bool AdmitConnection::may_still_mint(const rules::SessionToken& token) const {
  if (const auto key = rules::parse_api_key_id(token.api_key_id))
    return !parts_.api_keys.is_revoked(*key);
  if (!rules::is_account_id(token.api_key_id)) return false;
  const auto role = parts_.members.role_of(token.api_key_id, token.account_id);
  return role && rules::permissions_of(*role).has(rules::Permission::tokens_mint);
}

base::Result<base::Done> AdmitConnection::check_life(const rules::SessionToken& token,
                                                     const Request& request,
                                                     base::Instant now) const {
  if (auto timely = rules::check_time(token, now); !timely) return timely;
  if (!may_still_mint(token))
    return base::fail(ErrorCode::unauthenticated, "token of the revoked " + token.api_key_id);
  if (parts_.revocations.is_revoked(
          rules::revocable(token, rules::text_of(token.id), avatar_of(token, request))))
    return base::fail(ErrorCode::unauthenticated, "revoked token " + rules::text_of(token.id));
  return base::Done{};
}

bool AdmitConnection::has_avatar(const rules::SessionToken& token, std::string_view id) const {
  return rules::is_test_avatar(token.environment, id) ||
         rules::avatar_in({token.account_id, token.environment, token.app_id}, parts_.catalog, id);
}

base::Result<base::Done> AdmitConnection::check_motion(const rules::SessionToken& token,
                                                       const Request& request) const {
  // It was minted for what a persona says, and here the client would say what it likes.
  if (token.persona.kind != rules::PersonaClaim::Kind::none)
    return base::fail(ErrorCode::token_invalid, "token of a persona where there is none");
  if (request.app_id.empty() || parts_.catalog.app(request.app_id) == nullptr)
    return base::fail(ErrorCode::app_unknown, "connection names an unknown app");
  if (request.app_id != token.app_id)
    return base::fail(ErrorCode::app_mismatch, "token of app " + token.app_id);

  if (!has_avatar(token, request.avatar_id))
    return base::fail(ErrorCode::avatar_unknown, "connection names an unknown avatar");
  if (!token.avatar_id.empty() && token.avatar_id != request.avatar_id)
    return base::fail(ErrorCode::forbidden, "token is for avatar " + token.avatar_id,
                      "The session token is for another avatar");
  return base::Done{};
}

base::Result<base::Done> AdmitConnection::check_live_face(const rules::SessionToken& token) const {
  if (token.persona.kind == rules::PersonaClaim::Kind::none)
    return base::fail(ErrorCode::token_invalid, "token without a persona",
                      "The token is for a Motion Server: it names no persona.");
  if (parts_.catalog.app(token.app_id) == nullptr)
    return base::fail(ErrorCode::app_unknown, "token of an unknown app");
  // It was there when the token was minted; it may have gone since.
  if (!token.avatar_id.empty() && !has_avatar(token, token.avatar_id))
    return base::fail(ErrorCode::avatar_unknown, "the persona's avatar is gone",
                      "The persona's avatar does not exist any more.");
  return base::Done{};
}

base::Result<base::Done> AdmitConnection::check(const rules::SessionToken& token,
                                                const Request& request, base::Instant now) const {
  if (auto lives = check_life(token, request, now); !lives) return lives;
  auto fits =
      request.opens == Opens::live_face ? check_live_face(token) : check_motion(token, request);
  if (!fits) return fits;
  const auto& app = *parts_.catalog.app(token.app_id);
  if (auto done = rules::check_region(token, options_.region); !done) return done;
  if (auto done = rules::check_origin(token, request.origin, options_.unlisted_origins); !done)
    return done;
  if (auto forced = rules::forced_refusal(rules::ForcedAt::connecting, token.environment,
                                          avatar_of(token, request), token.end_user_id());
      !forced)
    return forced;
  return rules::check_minutes(app, token.environment, parts_.minutes, now);
}

base::Result<base::Done> AdmitConnection::count_end_user(const rules::SessionToken& token,
                                                         const Request& request) const {
  return parts_.limit_end_user({.app = *parts_.catalog.app(token.app_id),
                                .environment = token.environment,
                                .end_user_id = token.end_user_id(),
                                .step = LimitEndUser::Step::opening,
                                .actor = token.api_key_id,
                                .peer = request.peer,
                                .request_id = request.request_id});
}

rules::LiveSession AdmitConnection::session_of(const rules::SessionToken& token,
                                               const Request& request, base::Instant now) const {
  rules::LiveSession session;
  session.id = request.opens == Opens::live_face ? rules::new_face_session_id(parts_.random, now)
                                                 : rules::new_session_id(parts_.random, now);
  session.workspace_id = token.account_id;
  session.app_id = token.app_id;
  session.environment = token.environment;
  session.api_key_id = token.api_key_id;
  session.token_id = rules::text_of(token.id);
  session.minted_at = rules::minted_at(token.id);
  session.end_user_id = token.end_user_id();
  session.avatar_id = avatar_of(token, request);
  session.dialect = request.dialect;
  session.peer = request.peer;
  session.metadata = token.metadata;
  session.began_at = now;
  session.ends_at = now + token.leash.length_max;
  session.idle_max = token.leash.idle_max;
  return session;
}

// What a session that would be new takes: a place at the door and of its app, and one of what its
// end user may open.
base::Result<rules::Place> AdmitConnection::room_for_new(const rules::SessionToken& token,
                                                         const Request& request) const {
  if (request.no_room) return base::fail(*request.no_room);
  auto place = parts_.sessions.enter({.app_id = token.app_id, .environment = token.environment},
                                     token.leash.sessions_max, rules::text_of(token.id));
  if (!place) return place;
  if (auto counted = count_end_user(token, request); !counted) return base::fail(counted.error());
  return place;
}

// Rule session-token-retry-takes-nothing. Where a token for one session has a place already,
// nothing new can begin: whichever of two that come at the same moment is redeemed first, the other
// gets the same session, or is refused as a second client.
base::Result<AdmitConnection::Room> AdmitConnection::room_for(const rules::SessionToken& token,
                                                              const Request& request,
                                                              rules::Redemption& redemption) const {
  const auto again = [&]() -> std::optional<rules::Place> {
    if (redemption.client_marks.empty()) return std::nullopt;
    return parts_.sessions.enter_again({.app_id = token.app_id, .environment = token.environment},
                                       rules::text_of(token.id));
  };
  if (token.uses_max == 1)
    if (auto shared = again()) return Room{*std::move(shared), std::nullopt};
  auto place = room_for_new(token, request);
  if (place) return Room{*std::move(place), std::nullopt};
  auto shared = again();
  if (!shared) return base::fail(place.error());
  redemption.counts = rules::Redemption::Counts::retry_only;
  return Room{*std::move(shared), std::move(place.error())};
}

void AdmitConnection::operator()(const Request& request, Answer answer) const {
  const auto now = parts_.clock.now();
  auto token = genuine(request);
  if (!token) return answer(std::unexpected(guessed(request, std::move(token.error()))));
  Noted noted{request.request_id, request.peer, request.action};
  const auto refuse = [&](base::Error why) {
    note(noted, &*token, why);
    answer(base::fail(std::move(why)));
  };
  if (auto checked = check(*token, request, now); !checked)
    return refuse(std::move(checked.error()));

  rules::Redemption redemption;
  redemption.id = token->id;
  redemption.expires_at = token->expires_at;
  redemption.uses_max = token->uses_max;
  redemption.at = now;
  redemption.session = session_of(*token, request, now);
  redemption.request_id = request.request_id;
  if (request.client_nonce) {
    auto marks = parts_.marker.marks(request.client_nonce->expose(), token->id);
    if (!marks) return answer(base::fail(marks.error()));
    redemption.client_marks = *std::move(marks);
  }
  auto room = room_for(*token, request, redemption);
  if (!room) return refuse(std::move(room.error()));

  Grant grant(*std::move(token), redemption.session, std::move(room->place),
              options_.unlisted_origins);
  parts_.redemptions.redeem(
      redemption, [this, grant = std::move(grant), noted = std::move(noted),
                   refuses_new = std::move(room->refuses_new),
                   answer = std::move(answer)](base::Result<rules::Redeemed> redeemed) mutable {
        const bool is_new =
            !redeemed && redeemed.error().code == ErrorCode::concurrency_limited && refuses_new;
        if (is_new) redeemed = base::fail(*std::move(refuses_new));
        answer(granted(std::move(grant), std::move(redeemed), noted));
      });
}

// A token that we never made.
AdmitConnection::Refusal AdmitConnection::guessed(const Request& request, base::Error why) const {
  const auto party = base::party_of(request.client);
  const auto limit = parts_.limiter.take(rules::RateKind::stranger,
                                         std::string(party.bytes.begin(), party.bytes.end()),
                                         options_.stranger, parts_.clock.now());
  if (!limit.is_allowed) why = {ErrorCode::rate_limited, "over the rate limit by guessing", ""};
  note({request.request_id, request.peer, request.action}, nullptr, why);
  Refusal refusal(std::move(why));
  refusal.limit = limit;
  return refusal;
}

void AdmitConnection::note(const Noted& noted, const rules::SessionToken* token,
                           const base::Error& why) const {
  if (why.code == ErrorCode::unavailable) return;  // what failed here refuses nobody
  rules::AuditEntry entry;
  entry.at = parts_.clock.now();
  if (token) {
    entry.workspace_id = token->account_id;
    entry.actor = token->api_key_id;
    entry.subject = rules::text_of(token->id);
  }
  entry.action = noted.action;
  entry.outcome = rules::AuditOutcome::refused;
  entry.peer = noted.peer;
  entry.request_id = noted.request_id;
  entry.detail = why.detail;
  parts_.audit.note(std::move(entry));
}

AdmitConnection::Admitted AdmitConnection::granted(Grant grant,
                                                   base::Result<rules::Redeemed> redeemed,
                                                   const Noted& noted) const {
  if (!redeemed) {
    note(noted, &grant.token_, redeemed.error());
    return base::fail(redeemed.error());
  }
  if (redeemed->kind == rules::Redeemed::Kind::spent)
    return std::unexpected(spent(grant, *redeemed, noted));
  auto& session = grant.session_;
  session.id = redeemed->session_id;
  session.began_at = redeemed->began_at;
  session.ends_at = session.began_at + grant.token_.leash.length_max;
  parts_.minutes.begin(session, redeemed->connection, redeemed->counted_until);
  grant.entry_ = rules::LedgerEntry(parts_.ledger, parts_.clock, session.id, redeemed->connection);
  return grant;
}

AdmitConnection::Refusal AdmitConnection::spent(const Grant& grant, const rules::Redeemed& redeemed,
                                                const Noted& noted) const {
  if (!redeemed.is_own) {
    alarm(grant, redeemed.earlier_peer, noted.request_id);
    return base::Error{ErrorCode::token_spent, "session token is spent", ""};
  }
  base::Error over{ErrorCode::token_spent, "the client's own session by this token is over",
                   "Invalid session token: the session that it opened is over; mint another"};
  note(noted, &grant.token_, over);
  return over;
}

void AdmitConnection::alarm(const Grant& grant, std::string_view earlier_peer,
                            std::string_view request_id) const {
  const auto& token = grant.token_;
  const auto& session = grant.session_;
  parts_.log.write(base::LogLevel::warning, "session_token.reuse_suspected_theft",
                   {{"request_id", request_id},
                    {"token_id", session.token_id},
                    {"app_id", session.app_id},
                    {"api_key_id", session.api_key_id},
                    {"uses_max", token.uses_max},
                    {"earlier_peer", earlier_peer},
                    {"peer", session.peer}});
  rules::AuditEntry entry;
  entry.at = parts_.clock.now();
  entry.workspace_id = session.workspace_id;
  entry.actor = "system";
  entry.action = name_of(rules::AuditAction::session_token_suspect_theft);
  entry.subject = session.token_id;
  entry.outcome = rules::AuditOutcome::refused;
  entry.peer = session.peer;
  entry.request_id = request_id;
  entry.detail = rules::place_text(session.app_id, session.environment) + ", spent before by " +
                 std::string(earlier_peer);
  parts_.audit.note(std::move(entry));
  rules::TokenTheftSuspected theft;
  theft.at = parts_.clock.now();
  theft.workspace_id = session.workspace_id;
  theft.app_id = session.app_id;
  theft.environment = session.environment;
  theft.token_id = session.token_id;
  theft.minted_by = session.api_key_id;
  theft.end_user_id = session.end_user_id;
  theft.earlier_peer = earlier_peer;
  theft.peer = session.peer;
  parts_.events.send(theft);
}

}  // namespace stagedoor::actions
