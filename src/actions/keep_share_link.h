// Makes, changes and takes away links to a workspace's personas.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <expected>
#include <string_view>

#include "actions/keep_call.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/random.h"
#include "rules/app.h"
#include "rules/share_link.h"

namespace stagedoor::actions {

// Safe for concurrent use; not from an event loop.
class KeepShareLink {
 public:
  struct Parts {
    rules::ShareLinks& links;
    const rules::Catalog& catalog;
    const base::Clock& clock;
    base::Random& random;
  };
  explicit KeepShareLink(Parts parts) : parts_(parts) {}

  using Outcome = std::expected<rules::ShareLink, rules::ItemRefusal>;

  // `app_id`: which app a person means; empty for a key. `forbidden` for whoever may not mint,
  // `malformed` with faults, what choose_app says, `not_found` for the persona, `conflict`.
  Outcome create(const KeepCall& call, std::string_view app_id, const base::Json& body) const;
  // From then on the link rests on the caller. `forbidden`, `malformed` with faults, `not_found`.
  Outcome change(const KeepCall& call, std::string_view id, const base::Json& change) const;
  base::Result<base::Done> remove(const KeepCall& call, std::string_view id) const;

 private:
  Parts parts_;
};

}  // namespace stagedoor::actions
