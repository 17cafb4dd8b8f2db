#include "actions/keep_persona.h"

#include <utility>

namespace stagedoor::actions {
namespace {

rules::PersonaScope scope_of(const KeepPersona::Call& call) {
  return {.workspace_id = call.caller.workspace_id(), .environment = call.environment};
}

std::unexpected<rules::PersonaRefusal> refuse(base::Error error) {
  return std::unexpected(rules::PersonaRefusal{.error = std::move(error), .faults = {}});
}

}  // namespace

rules::AuditEntry KeepPersona::entry(const Call& call, rules::AuditAction action,
                                     std::string_view id) const {
  return {.at = parts_.clock.now(),
          .workspace_id = call.caller.workspace_id(),
          .actor = call.caller.actor(),
          .action = std::string(name_of(action)),
          .subject = std::string(id),
          .outcome = rules::AuditOutcome::done,
          .peer = std::string(call.peer),
          .request_id = std::string(call.request_id),
          .detail = std::string(rules::name_of(call.environment))};
}

base::Result<base::Done> KeepPersona::check(const Call& call, const rules::PersonaContent& content,
                                            rules::Faults& faults) const {
  auto checked = rules::check_references(content, scope_of(call), parts_.references, "", faults);
  if (!checked || !faults.empty()) return checked;
  const auto with =
      rules::with_kept_tools(content, scope_of(call), parts_.references.items, "", faults);
  if (!with) return base::fail(with.error());
  return base::Done{};
}

KeepPersona::Outcome KeepPersona::create(const Call& call,
                                         const rules::PersonaContent& content) const {
  rules::Faults faults;
  if (auto checked = check(call, content, faults); !checked) return refuse(checked.error());
  if (!faults.empty()) return std::unexpected(rules::refusal_of(std::move(faults)));
  const auto now = parts_.clock.now();
  rules::Persona persona{.id = base::random_uuid(parts_.random),
                         .workspace_id = call.caller.workspace_id(),
                         .environment = call.environment,
                         .content = content,
                         .created_at = now,
                         .updated_at = now};
  if (auto made = parts_.personas.create(
          persona, entry(call, rules::AuditAction::persona_create, persona.id));
      !made)
    return refuse(made.error());
  return persona;
}

KeepPersona::Outcome KeepPersona::change(const Call& call, std::string_view id,
                                         const base::Json& change) const {
  rules::Faults faults;
  const auto apply =
      [&](const rules::PersonaContent& before) -> base::Result<rules::PersonaContent> {
    auto after = before.changed(change);
    if (!after) {
      faults = std::move(after.error());
      return base::fail(base::ErrorCode::malformed, "persona change");
    }
    if (auto checked = check(call, *after, faults); !checked) return base::fail(checked.error());
    if (!faults.empty()) return base::fail(base::ErrorCode::malformed, "persona change");
    return *std::move(after);
  };
  auto changed = parts_.personas.change(scope_of(call), id, apply,
                                        entry(call, rules::AuditAction::persona_change, id));
  if (!faults.empty()) return std::unexpected(rules::refusal_of(std::move(faults)));
  if (!changed) return refuse(changed.error());
  return *std::move(changed);
}

base::Result<base::Done> KeepPersona::remove(const Call& call, std::string_view id) const {
  return parts_.personas.remove(scope_of(call), id,
                                entry(call, rules::AuditAction::persona_remove, id));
}

}  // namespace stagedoor::actions
