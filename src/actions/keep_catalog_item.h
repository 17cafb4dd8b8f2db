// Makes, changes and takes away what a workspace keeps for its personas.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <expected>
#include <string_view>

#include "base/clock.h"
#include "base/json.h"
#include "base/random.h"
#include "rules/caller.h"
#include "rules/catalog_item.h"

namespace stagedoor::actions {

// Safe for concurrent use; not from an event loop.
class KeepCatalogItem {
 public:
  struct Parts {
    rules::CatalogItems& items;
    const base::Clock& clock;
    base::Random& random;
  };
  explicit KeepCatalogItem(Parts parts) : parts_(parts) {}

  struct Call {
    const rules::Caller& caller;
    rules::Environment environment;  // the caller's own, or the one that a person means
    std::string_view peer, request_id;
    rules::ItemScope scope() const {
      return {.workspace_id = caller.workspace_id(), .environment = environment};
    }
  };
  struct Refusal {
    base::Error error;
    rules::ItemFaults faults;  // where members are why
  };
  using Outcome = std::expected<rules::CatalogItem, Refusal>;

  // `malformed` with faults, `conflict` where the workspace has all that it may have of the kind.
  Outcome create(const Call& call, const rules::ItemForm& form, const base::Json& body) const;
  // `malformed` with faults, `not_found`.
  Outcome change(const Call& call, const rules::ItemForm& form, std::string_view id,
                 const base::Json& change) const;
  base::Result<base::Done> remove(const Call& call, const rules::ItemForm& form,
                                  std::string_view id) const;

 private:
  rules::AuditEntry entry(const Call& call, rules::AuditAction action, std::string_view id) const;
  Parts parts_;
};

}  // namespace stagedoor::actions
