#include "actions/open_share_link.h"

#include <utility>

namespace stagedoor::actions {

using base::ErrorCode;

rules::AuditEntry OpenShareLink::entry(const Request& request, const rules::ShareLink* link) const {
  rules::AuditEntry entry;
  entry.at = parts_.clock.now();
  if (link != nullptr) {
    entry.workspace_id = link->scope.workspace_id;
    entry.actor = link->made_by;
    entry.subject = link->id;
  }
  entry.peer = request.peer;
  entry.request_id = request.request_id;
  return entry;
}

// Rule share-link-tells-nothing: the reason is for the audit log alone.
std::unexpected<base::Error> OpenShareLink::refuse(const Request& request,
                                                   const rules::ShareLink* link,
                                                   const base::Error& why) const {
  if (why.code == ErrorCode::unavailable) return base::fail(why);
  auto noted = entry(request, link);
  noted.action = request.action;
  noted.outcome = rules::AuditOutcome::refused;
  noted.detail = why.detail;
  parts_.audit.note(std::move(noted));
  return base::fail(ErrorCode::not_found, why.detail, "This link opens nothing here.");
}

base::Result<MintSessionToken::Minted> OpenShareLink::minted(const rules::ShareLink& link,
                                                             const Request& request) const {
  const auto now = parts_.clock.now();
  const auto why = rules::why_closed(link, request.origin, now);
  if (!why.empty()) return base::fail(ErrorCode::not_found, std::string(why));
  const auto maker = parts_.find_maker(link.made_by, link.scope.workspace_id);
  if (!maker) return base::fail(maker.error());
  if (!maker->caller.may(rules::Permission::tokens_mint))
    return base::fail(ErrorCode::forbidden, link.made_by + " may not mint any more");
  MintSessionToken::Request token{};
  token.expires_at = now + rules::share_link_session_token_lifetime;
  token.app_id = link.scope.app_id;
  token.environment = link.scope.environment;
  token.end_user_id = rules::visitor_of(link);
  token.uses_max = 1;
  token.peer = request.peer;
  token.request_id = request.request_id;
  if (!link.terms.is_for_any_origin) token.allowed_origins = link.terms.allowed_origins;
  MintPersonaToken::Request wanted;
  wanted.persona_id = link.persona_id;
  wanted.token = std::move(token);
  auto minted = parts_.mint(maker->caller, wanted);
  if (!minted) return base::fail(minted.error().error);
  return *std::move(minted);
}

base::Result<OpenShareLink::Opened> OpenShareLink::operator()(const Request& request) const {
  if (!rules::is_share_token(request.token.expose()))
    return refuse(request, nullptr, {ErrorCode::not_found, "no token of a share link", {}});
  auto link = parts_.links.find_by_token(request.token);
  if (!link) return refuse(request, nullptr, link.error());
  auto token = minted(*link, request);
  if (!token) return refuse(request, &*link, token.error());
  auto used = entry(request, &*link);
  used.action = name_of(rules::AuditAction::share_link_use);
  used.detail = rules::name_of(link->scope.environment);
  if (auto counted = parts_.links.use(link->id, used); !counted)
    return refuse(request, &*link, counted.error());
  return Opened{.minted = *std::move(token), .persona_name = std::move(link->persona_name)};
}

}  // namespace stagedoor::actions
