#include "actions/revoke_session_tokens.h"

#include "actions/actor.h"
#include "actions/choose_app.h"
#include "rules/session_token.h"

namespace stagedoor::actions {
namespace {

using base::ErrorCode;
using rules::RevokedSubject;

std::unexpected<base::Error> nothing_there(std::string detail) {
  return base::fail(ErrorCode::not_found, std::move(detail),
                    "There is nothing of this name to revoke.");
}

}  // namespace

base::Result<rules::TokenRevocation> RevokeSessionTokens::meant_by(const rules::Caller& caller,
                                                                   const Request& request) const {
  const bool is_key = caller.kind() == rules::CallerKind::api_key;
  const auto environment = choose_environment(caller, request.environment);
  if (!environment) return base::fail(environment.error());
  rules::TokenRevocation meant{.subject = request.subject,
                               .workspace_id = caller.workspace_id(),
                               .app_id = is_key ? caller.app().id : std::string(),
                               .environment = *environment,
                               .value = std::string(request.value),
                               .minted_until = parts_.clock.now()};
  if (meant.workspace_id.empty()) return nothing_there("revocation without a workspace");
  if (request.subject == RevokedSubject::app) {
    const auto chosen = choose_app(parts_.catalog, caller, request.value, *environment);
    if (!chosen) return base::fail(chosen.error());
    meant.app_id = chosen->app->id;
  }
  if (request.subject == RevokedSubject::token) {
    // An expired one counts too: sessions that it opened may still be live.
    const auto payload = parts_.keys.verify(request.value);
    const auto token = payload ? rules::read_claims(*payload)
                               : base::Result<rules::SessionToken>(base::fail(payload.error()));
    if (!token || token->account_id != meant.workspace_id ||
        token->environment != meant.environment ||
        (!meant.app_id.empty() && token->app_id != meant.app_id))
      return nothing_there("revocation of a token that is not the caller's");
    meant.value = rules::text_of(token->id);
    meant.app_id = token->app_id;
  }
  return meant;
}

base::Result<std::size_t> RevokeSessionTokens::operator()(const rules::Caller& caller,
                                                          const Request& request) const {
  const auto meant = meant_by(caller, request);
  if (!meant) return base::fail(meant.error());
  const auto detail = std::string(rules::name_of(meant->subject)) + ", " +
                      std::string(rules::name_of(meant->environment)) +
                      (meant->app_id.empty() ? ", all apps" : ", " + meant->app_id);
  auto entry = Actor(caller, request.peer, request.request_id)
                   .entry(meant->minted_until, meant->workspace_id,
                          rules::AuditAction::session_token_revoke, meant->value, detail);
  return parts_.revocations.revoke(*meant, std::move(entry));
}

}  // namespace stagedoor::actions
