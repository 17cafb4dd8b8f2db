// Makes, changes and takes away what a workspace keeps for its personas.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <expected>
#include <string_view>

#include "actions/keep_call.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/random.h"
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

  using Outcome = std::expected<rules::CatalogItem, rules::ItemRefusal>;

  // `malformed` with faults, `conflict` where the workspace has all that it may have of the kind.
  Outcome create(const KeepCall& call, const rules::ItemForm& form, const base::Json& body) const;
  // `malformed` with faults, `not_found`.
  Outcome change(const KeepCall& call, const rules::ItemForm& form, std::string_view id,
                 const base::Json& change) const;
  base::Result<base::Done> remove(const KeepCall& call, const rules::ItemForm& form,
                                  std::string_view id) const;

 private:
  Parts parts_;
};

}  // namespace stagedoor::actions
