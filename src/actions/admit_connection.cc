#include "actions/admit_connection.h"

#include <memory>

namespace stagedoor::actions {

using base::ErrorCode;

base::Result<rules::SessionToken> AdmitConnection::check(const Request& request,
                                                         base::Instant now) const {
  const auto payload = parts_.keys.verify(request.token.expose());
  if (!payload) return base::fail(payload.error());
  auto token = rules::read_claims(*payload);
  if (!token) return base::fail(token.error());
  if (const auto timely = rules::check_time(*token, now); !timely)
    return base::fail(timely.error());

  const auto minted_by = rules::parse_api_key_id(token->api_key_id);
  if (!minted_by || parts_.api_keys.is_revoked(*minted_by))
    return base::fail(ErrorCode::unauthenticated, "token of the revoked " + token->api_key_id);

  if (request.app_id.empty() || parts_.catalog.app(request.app_id) == nullptr)
    return base::fail(ErrorCode::app_unknown, "connection names an unknown app");
  if (request.app_id != token->app_id)
    return base::fail(ErrorCode::app_mismatch, "token of app " + token->app_id);

  const auto avatar = parts_.catalog.avatar(request.avatar_id);
  if (!avatar || avatar->workspace_id != token->account_id)
    return base::fail(ErrorCode::avatar_unknown, "connection names an unknown avatar");
  if (!token->avatar_id.empty() && token->avatar_id != request.avatar_id)
    return base::fail(ErrorCode::forbidden, "token is for avatar " + token->avatar_id);
  return token;
}

void AdmitConnection::operator()(const Request& request, Answer answer) const {
  const auto now = parts_.clock.now();
  auto token = check(request, now);
  if (!token) return answer(base::fail(token.error()));

  auto place = parts_.sessions.enter(token->app_id, token->leash.sessions_max);
  if (!place) return answer(base::fail(place.error()));

  const rules::Redemption redemption{
      .id = token->id, .expires_at = token->expires_at, .uses_max = token->uses_max, .at = now};
  parts_.redemptions.redeem(
      redemption, [this, now, token = *std::move(token), place = *std::move(place),
                   avatar_id = request.avatar_id, request_id = request.request_id,
                   peer = request.peer, answer = std::move(answer)](base::Result<int> use) mutable {
        if (use)
          return answer(Grant(std::move(token), std::move(avatar_id), now, std::move(place)));
        if (use.error().code == ErrorCode::token_spent)
          warn_of_reuse(
              token,
              {.token = {}, .app_id = {}, .avatar_id = {}, .request_id = request_id, .peer = peer});
        answer(base::fail(use.error()));
      });
}

void AdmitConnection::warn_of_reuse(const rules::SessionToken& token,
                                    const Request& request) const {
  parts_.log.write(base::LogLevel::warning, "session_token.reuse_suspected_theft",
                   {{"request_id", request.request_id},
                    {"token_id", rules::text_of(token.id)},
                    {"app_id", token.app_id},
                    {"api_key_id", token.api_key_id},
                    {"uses_max", token.uses_max},
                    {"peer", request.peer}});
}

}  // namespace stagedoor::actions
