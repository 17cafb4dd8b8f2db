// One call that makes, changes or takes away what a workspace keeps, and what the audit log says
// of it.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <utility>

#include "actions/actor.h"
#include "base/clock.h"
#include "rules/audit.h"
#include "rules/caller.h"
#include "rules/catalog_item.h"

namespace stagedoor::actions {

struct KeepCall {
  const rules::Caller& caller;
  rules::Environment environment;  // the caller's own, or the one that a person means
  std::string_view peer, request_id;

  // What it means, and whose the thing is that it makes.
  rules::ItemScope scope() const { return rules::scope_of(caller, environment); }
  rules::AuditEntry entry(base::Instant now, rules::AuditAction action, std::string_view subject,
                          std::string_view detail) const {
    return Actor(caller, peer, request_id)
        .entry(now, caller.workspace_id(), action, subject, detail);
  }
  // With the environment as its detail.
  rules::AuditEntry entry(base::Instant now, rules::AuditAction action,
                          std::string_view subject) const {
    return entry(now, action, subject, rules::name_of(environment));
  }
};

// A refusal that no member is the reason of.
inline std::unexpected<rules::ItemRefusal> refused(base::Error error) {
  return std::unexpected(rules::ItemRefusal{.error = std::move(error), .faults = {}});
}

}  // namespace stagedoor::actions
