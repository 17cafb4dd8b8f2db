#include "actions/keep_persona.h"

#include <utility>

namespace stagedoor::actions {
using rules::AuditAction;

base::Result<base::Done> KeepPersona::check(const KeepCall& call,
                                            const rules::PersonaContent& content,
                                            rules::Faults& faults) const {
  auto checked = rules::check_references(content, call.scope(), parts_.references, "", faults);
  if (!checked || !faults.empty()) return checked;
  const auto with =
      rules::with_kept_tools(content, call.scope(), parts_.references.items, "", faults);
  if (!with) return base::fail(with.error());
  return base::Done{};
}

KeepPersona::Outcome KeepPersona::create(const KeepCall& call,
                                         const rules::PersonaContent& content) const {
  rules::Faults faults;
  if (auto checked = check(call, content, faults); !checked) return refused(checked.error());
  if (!faults.empty()) return std::unexpected(rules::refusal_of(std::move(faults)));
  const auto now = parts_.clock.now();
  rules::Persona persona{.id = base::random_uuid(parts_.random),
                         .scope = call.scope(),
                         .content = content,
                         .created_at = now,
                         .updated_at = now};
  if (auto made =
          parts_.personas.create(persona, call.entry(now, AuditAction::persona_create, persona.id));
      !made)
    return refused(made.error());
  return persona;
}

KeepPersona::Outcome KeepPersona::change(const KeepCall& call, std::string_view id,
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
  auto changed = parts_.personas.change(
      call.scope(), id, apply, call.entry(parts_.clock.now(), AuditAction::persona_change, id));
  if (!faults.empty()) return std::unexpected(rules::refusal_of(std::move(faults)));
  if (!changed) return refused(changed.error());
  return *std::move(changed);
}

base::Result<base::Done> KeepPersona::remove(const KeepCall& call, std::string_view id) const {
  return parts_.personas.remove(call.scope(), id,
                                call.entry(parts_.clock.now(), AuditAction::persona_remove, id));
}

}  // namespace stagedoor::actions
