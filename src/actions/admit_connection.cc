#include "actions/admit_connection.h"

#include <memory>

namespace stagedoor::actions {

using base::ErrorCode;

rules::LiveSession Grant::live_session() const {
  rules::LiveSession session;
  session.id = session_id_;
  session.workspace_id = token_.account_id;
  session.app_id = token_.app_id;
  session.environment = token_.environment;
  session.api_key_id = token_.api_key_id;
  session.token_id = token_id();
  session.minted_at = rules::minted_at(token_.id);
  session.end_user_id = token_.end_user_id();
  session.avatar_id = avatar_id_;
  session.dialect = dialect_;
  session.peer = peer_;
  session.metadata = token_.metadata;
  session.began_at = began_at_;
  session.ends_at = began_at_ + token_.leash.length_max;
  session.idle_max = token_.leash.idle_max;
  return session;
}

base::Result<rules::SessionToken> AdmitConnection::genuine(const Request& request,
                                                           base::Instant now) const {
  const auto payload = parts_.keys.verify(request.token.expose());
  if (!payload) return base::fail(payload.error());
  auto token = rules::read_claims(*payload);
  if (!token) return base::fail(token.error());
  if (const auto timely = rules::check_time(*token, now); !timely)
    return base::fail(timely.error());
  // A person may have minted it as well.
  const auto minted_by = rules::parse_api_key_id(token->api_key_id);
  if (minted_by ? parts_.api_keys.is_revoked(*minted_by) : !token->api_key_id.starts_with("acc_"))
    return base::fail(ErrorCode::unauthenticated, "token of the revoked " + token->api_key_id);
  if (parts_.revocations.is_revoked(
          rules::revocable(*token, rules::text_of(token->id), request.avatar_id)))
    return base::fail(ErrorCode::unauthenticated, "revoked token " + rules::text_of(token->id));
  return token;
}

base::Result<base::Done> AdmitConnection::check(const rules::SessionToken& token,
                                                const Request& request) const {
  // It was minted for what a persona says, and here the client would say what it likes.
  if (token.persona.kind != rules::PersonaClaim::Kind::none)
    return base::fail(ErrorCode::token_invalid, "token of a persona where there is none");
  if (request.app_id.empty() || parts_.catalog.app(request.app_id) == nullptr)
    return base::fail(ErrorCode::app_unknown, "connection names an unknown app");
  if (request.app_id != token.app_id)
    return base::fail(ErrorCode::app_mismatch, "token of app " + token.app_id);

  const auto avatar = parts_.catalog.avatar(request.avatar_id);
  if (!avatar || avatar->workspace_id != token.account_id)
    return base::fail(ErrorCode::avatar_unknown, "connection names an unknown avatar");
  if (!token.avatar_id.empty() && token.avatar_id != request.avatar_id)
    return base::fail(ErrorCode::forbidden, "token is for avatar " + token.avatar_id,
                      "The session token is for another avatar");
  if (auto done = rules::check_region(token, options_.region); !done) return done;
  return rules::check_origin(token, request.origin, options_.unlisted_origins);
}

void AdmitConnection::operator()(const Request& request, Answer answer) const {
  const auto now = parts_.clock.now();
  auto token = genuine(request, now);
  if (!token) return answer(base::fail(token.error()));
  if (const auto checked = check(*token, request); !checked)
    return answer(base::fail(checked.error()));

  auto place = parts_.sessions.enter(token->app_id, token->leash.sessions_max);
  if (!place) return answer(base::fail(place.error()));

  const rules::Redemption redemption{
      .id = token->id, .expires_at = token->expires_at, .uses_max = token->uses_max, .at = now};
  Grant grant;
  grant.token_ = *std::move(token);
  grant.avatar_id_ = request.avatar_id;
  grant.session_id_ = rules::new_session_id(parts_.random, now);
  grant.peer_ = request.peer;
  grant.dialect_ = request.dialect;
  grant.began_at_ = now;
  grant.place_ = *std::move(place);
  parts_.redemptions.redeem(redemption,
                            [this, grant = std::move(grant), request_id = request.request_id,
                             answer = std::move(answer)](base::Result<int> use) mutable {
                              if (use) return answer(std::move(grant));
                              if (use.error().code == ErrorCode::token_spent)
                                warn_of_reuse(grant, request_id);
                              answer(base::fail(use.error()));
                            });
}

void AdmitConnection::warn_of_reuse(const Grant& grant, std::string_view request_id) const {
  const auto& token = grant.token_;
  parts_.log.write(base::LogLevel::warning, "session_token.reuse_suspected_theft",
                   {{"request_id", request_id},
                    {"token_id", rules::text_of(token.id)},
                    {"app_id", token.app_id},
                    {"api_key_id", token.api_key_id},
                    {"uses_max", token.uses_max},
                    {"peer", grant.peer_}});
}

}  // namespace stagedoor::actions
