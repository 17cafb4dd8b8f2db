#include "actions/mint_persona_token.h"

#include <utility>

#include "base/text.h"

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
  if (!request.content) return std::nullopt;
  const auto content = content_of(caller, request);
  if (!content) return std::unexpected(content.error());
  const auto snapshot = rules::snapshot_of(*content, {}, request.session_options);
  if (!parts_.snapshots.is_known(snapshot.digest)) return std::nullopt;
  return minted(caller, request, *content, snapshot);
}

MintPersonaToken::Outcome MintPersonaToken::operator()(const rules::Caller& caller,
                                                       const Request& request) const {
  const auto content = content_of(caller, request);
  if (!content) return std::unexpected(content.error());
  const auto snapshot = rules::snapshot_of(*content, request.persona_id, request.session_options);
  if (auto kept = parts_.snapshots.keep(snapshot, parts_.clock.now()); !kept)
    return refuse(kept.error());
  return minted(caller, request, *content, snapshot);
}

std::expected<rules::PersonaContent, rules::PersonaRefusal> MintPersonaToken::content_of(
    const rules::Caller& caller, const Request& request) const {
  rules::Faults faults;
  std::optional<rules::PersonaContent> content = request.content;
  const rules::PersonaScope scope{.workspace_id = caller.workspace_id(),
                                  .environment = caller.environment()};
  if (!content) {
    auto kept = parts_.personas.find(scope, request.persona_id);
    if (!kept && kept.error().code != ErrorCode::not_found) return refuse(kept.error());
    if (!kept) {
      base::add_fault(faults, base::member_path(request.path, "personaId"), "unknown_reference",
                      "There is no persona with this id.");
      return std::unexpected(rules::refusal_of(std::move(faults)));
    }
    content = std::move(kept->content);
  }
  // Also of a kept one: its avatar may have gone since.
  rules::check_references(*content, scope, parts_.catalog, request.path, faults);
  if (!faults.empty()) return std::unexpected(rules::refusal_of(std::move(faults)));
  return *std::move(content);
}

MintPersonaToken::Outcome MintPersonaToken::minted(const rules::Caller& caller,
                                                   const Request& request,
                                                   const rules::PersonaContent& content,
                                                   const rules::PersonaSnapshot& snapshot) const {
  MintSessionToken::Request mint{};
  mint.expires_at = parts_.clock.now() + request.lifetime;
  mint.avatar_id = content.avatar_id();
  mint.length_max = content.length_max();
  mint.persona.kind =
      request.content ? PersonaClaim::Kind::inline_content : PersonaClaim::Kind::kept;
  mint.persona.address = base::base64url(base::as_text(snapshot.digest));
  mint.persona.client_label = request.client_label;
  auto minted = parts_.mint(caller, mint);
  if (!minted) return refuse(minted.error());
  return *std::move(minted);
}

}  // namespace stagedoor::actions
