#include "actions/mint_persona_token.h"

#include <algorithm>
#include <utility>

#include "actions/choose_app.h"
#include "base/text.h"
#include "rules/built_in.h"

namespace stagedoor::actions {
namespace {

using base::ErrorCode;
using rules::PersonaClaim;

std::unexpected<rules::PersonaRefusal> refuse(base::Error error) {
  return std::unexpected(rules::PersonaRefusal{.error = std::move(error), .faults = {}});
}

}  // namespace

std::optional<MintPersonaToken::Outcome> MintPersonaToken::at_once(const rules::Caller& caller,
                                                                   const Request& request) const {
  if (!request.content || rules::names_items(*request.content)) return std::nullopt;
  const auto content = content_of(caller, request);
  if (!content) return std::unexpected(content.error());
  const auto snapshot = snapshot_of(*content, request);
  if (!parts_.snapshots.is_known(snapshot.digest, parts_.clock.now())) return std::nullopt;
  return minted(caller, request, *content, snapshot);
}

MintPersonaToken::Outcome MintPersonaToken::operator()(const rules::Caller& caller,
                                                       const Request& request) const {
  const auto content = content_of(caller, request);
  if (!content) return std::unexpected(content.error());
  const auto snapshot = snapshot_of(*content, request);
  if (auto kept = parts_.snapshots.keep(snapshot, parts_.clock.now()); !kept)
    return refuse(kept.error());
  return minted(caller, request, *content, snapshot);
}

rules::PersonaSnapshot MintPersonaToken::snapshot_of(const rules::PersonaContent& content,
                                                     const Request& request) const {
  const auto& avatar_id =
      content.avatar_id().empty() && request.token ? request.token->avatar_id : content.avatar_id();
  const auto character = rules::character_of(parts_.references.catalog, avatar_id);
  return rules::snapshot_of({.content = content,
                             .persona_id = request.persona_id,
                             .session_options = request.session_options,
                             .character = character},
                            parts_.address_key);
}

std::expected<rules::PersonaContent, rules::PersonaRefusal> MintPersonaToken::kept(
    const rules::PersonaScope& scope, const Request& request) const {
  auto persona = parts_.personas.find(scope, request.persona_id);
  if (persona) return std::move(persona->content);
  if (persona.error().code != ErrorCode::not_found) return refuse(persona.error());
  rules::Faults faults;
  base::add_fault(faults, base::member_path(request.path, request.id_member), "unknown_reference",
                  "There is no persona with this id.");
  return std::unexpected(rules::refusal_of(std::move(faults)));
}

std::expected<rules::PersonaContent, rules::PersonaRefusal> MintPersonaToken::content_of(
    const rules::Caller& caller, const Request& request) const {
  const auto& token = request.token;
  const auto chosen =
      choose_app(parts_.references.catalog, caller, token ? std::string_view(token->app_id) : "",
                 token ? token->environment : std::nullopt);
  if (!chosen) return refuse(chosen.error());
  const rules::PersonaScope scope{.workspace_id = chosen->app->workspace_id,
                                  .environment = chosen->environment,
                                  .app_id = chosen->app->id};
  std::optional<rules::PersonaContent> content = request.content;
  if (!content) {
    auto found = kept(scope, request);
    if (!found) return found;
    content = *std::move(found);
  }
  // Also of a kept one: its avatar may have gone since.
  rules::Faults faults;
  const auto& path = request.path.empty() ? request.id_member : request.path;
  if (auto checked = rules::check_references(*content, scope, parts_.references, path, faults);
      !checked)
    return refuse(checked.error());
  if (token && !token->avatar_id.empty() && !content->avatar_id().empty() &&
      token->avatar_id != content->avatar_id()) {
    base::add_fault(faults, "avatar_id", "conflict",
                    "It is not the avatar that the persona plays: name that one, or none.");
  }
  if (!faults.empty()) return std::unexpected(rules::refusal_of(std::move(faults)));
  auto played = rules::with_kept_tools(*content, scope, parts_.references.items, path, faults);
  if (!played) return refuse(played.error());
  if (!faults.empty()) return std::unexpected(rules::refusal_of(std::move(faults)));
  return *std::move(played);
}

MintPersonaToken::Outcome MintPersonaToken::minted(const rules::Caller& caller,
                                                   const Request& request,
                                                   const rules::PersonaContent& content,
                                                   const rules::PersonaSnapshot& snapshot) const {
  MintSessionToken::Request mint{};
  if (request.token) {
    mint = *request.token;
  } else {
    mint.expires_at = parts_.clock.now() + request.lifetime;
  }
  if (!content.avatar_id().empty()) mint.avatar_id = content.avatar_id();
  if (const auto length = content.length_max())
    mint.length_max = std::min(mint.length_max.value_or(*length), *length);
  mint.persona.kind =
      request.content ? PersonaClaim::Kind::inline_content : PersonaClaim::Kind::kept;
  mint.persona.address = base::base64url(base::as_text(snapshot.digest));
  mint.persona.client_label = request.client_label;
  auto minted = parts_.mint(caller, mint);
  if (!minted) return refuse(minted.error());
  return *std::move(minted);
}

}  // namespace stagedoor::actions
