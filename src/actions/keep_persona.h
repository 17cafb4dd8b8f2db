// Makes, changes and takes away the personas that a workspace keeps.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <expected>
#include <string_view>

#include "actions/keep_call.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/random.h"
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

  using Outcome = std::expected<rules::Persona, rules::PersonaRefusal>;

  // `malformed` with faults, `conflict` where the workspace has all the personas that it may have.
  Outcome create(const KeepCall& call, const rules::PersonaContent& content) const;
  // `malformed` with faults, `not_found`.
  Outcome change(const KeepCall& call, std::string_view id, const base::Json& change) const;
  base::Result<base::Done> remove(const KeepCall& call, std::string_view id) const;

 private:
  base::Result<base::Done> check(const KeepCall& call, const rules::PersonaContent& content,
                                 rules::Faults& faults) const;
  Parts parts_;
};

}  // namespace stagedoor::actions
