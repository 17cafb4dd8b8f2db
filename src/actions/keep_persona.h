// Makes, changes and takes away the personas that a workspace keeps.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <expected>
#include <string_view>

#include "base/clock.h"
#include "base/json.h"
#include "base/random.h"
#include "rules/caller.h"
#include "rules/persona.h"

namespace stagedoor::actions {

// Safe for concurrent use; not from an event loop.
class KeepPersona {
 public:
  struct Parts {
    rules::PersonaReferences references;
    rules::Personas& personas;
    const base::Clock& clock;
    base::Random& random;
  };
  explicit KeepPersona(Parts parts) : parts_(parts) {}

  struct Call {
    const rules::Caller& caller;
    rules::Environment environment;  // the caller's own, or the one that a person means
    std::string_view peer, request_id;
  };
  using Outcome = std::expected<rules::Persona, rules::PersonaRefusal>;

  // `malformed` with faults, `conflict` where the workspace has all the personas that it may have.
  Outcome create(const Call& call, const rules::PersonaContent& content) const;
  // `malformed` with faults, `not_found`.
  Outcome change(const Call& call, std::string_view id, const base::Json& change) const;
  base::Result<base::Done> remove(const Call& call, std::string_view id) const;

 private:
  rules::AuditEntry entry(const Call& call, rules::AuditAction action, std::string_view id) const;
  base::Result<base::Done> check(const Call& call, const rules::PersonaContent& content,
                                 rules::Faults& faults) const;
  Parts parts_;
};

}  // namespace stagedoor::actions
