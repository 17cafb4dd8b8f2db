#include "actions/keep_share_link.h"

#include <string>
#include <utility>

#include "actions/choose_app.h"

namespace stagedoor::actions {
namespace {

using base::ErrorCode;
using rules::AuditAction;

// Rule share-link-rests-on-its-maker: whoever opens the link is given what its maker may mint.
base::Result<base::Done> check_may_mint(const rules::Caller& caller) {
  if (caller.may(rules::Permission::tokens_mint)) return base::Done{};
  return base::fail(ErrorCode::forbidden, caller.actor() + " lacks tokens:mint for a share link",
                    "A share link mints session tokens: it takes the permission tokens:mint, "
                    "which the credential has not.");
}

}  // namespace

KeepShareLink::Outcome KeepShareLink::create(const KeepCall& call, std::string_view app_id,
                                             const base::Json& body) const {
  if (auto may = check_may_mint(call.caller); !may) return refused(may.error());
  const auto now = parts_.clock.now();
  auto draft = rules::read_share_link(body, now);
  if (!draft) return std::unexpected(rules::refusal_of(std::move(draft.error())));
  const auto chosen = choose_app(parts_.catalog, call.caller, app_id, call.environment);
  if (!chosen) return refused(chosen.error());
  auto scope = call.scope();
  scope.app_id = chosen->app->id;
  rules::ShareLink link{.id = base::random_uuid(parts_.random),
                        .scope = std::move(scope),
                        .persona_id = std::move(draft->persona_id),
                        .persona_name = {},
                        .made_by = call.caller.actor(),
                        .token = rules::new_share_token(parts_.random),
                        .terms = std::move(draft->terms),
                        .created_at = now,
                        .updated_at = now};
  if (auto made = parts_.links.create(
          link, call.entry(now, AuditAction::share_link_create, link.id, link.persona_id));
      !made)
    return refused(made.error());
  return link;
}

KeepShareLink::Outcome KeepShareLink::change(const KeepCall& call, std::string_view id,
                                             const base::Json& change) const {
  if (auto may = check_may_mint(call.caller); !may) return refused(may.error());
  const auto now = parts_.clock.now();
  rules::ItemFaults faults;
  const auto apply = [&](rules::ShareLink& link) -> base::Result<base::Done> {
    auto terms = rules::changed_terms(link.terms, change, now);
    if (!terms) {
      faults = std::move(terms.error());
      return base::fail(ErrorCode::malformed, "a change of a share link");
    }
    link.terms = *std::move(terms);
    link.made_by = call.caller.actor();
    link.has_maker_logged_out = false;
    return base::Done{};
  };
  auto changed = parts_.links.change(call.scope(), id, apply,
                                     call.entry(now, AuditAction::share_link_change, id));
  if (!faults.empty()) return std::unexpected(rules::refusal_of(std::move(faults)));
  if (!changed) return refused(changed.error());
  return *std::move(changed);
}

base::Result<base::Done> KeepShareLink::remove(const KeepCall& call, std::string_view id) const {
  return parts_.links.remove(call.scope(), id,
                             call.entry(parts_.clock.now(), AuditAction::share_link_remove, id));
}

}  // namespace stagedoor::actions
