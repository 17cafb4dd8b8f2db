// Shows, makes and changes the apps of a workspace.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "actions/actor.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "rules/app_records.h"
#include "rules/caller.h"

namespace stagedoor::actions {

// Safe for concurrent use.
class KeepApp {
 public:
  struct Parts {
    const rules::Catalog& catalog;
    rules::AppRecords& apps;
    const base::Clock& clock;
    base::Random& random;
  };
  struct Options {
    rules::RateLimit end_user_limit = rules::RateLimit::unlimited();  // of apps without their own
  };
  KeepApp(Parts parts, Options options) : parts_(parts), options_(options) {}

  // From memory. `not_found` for what is not the caller's: of a key its own app, of a person the
  // apps of their workspace.
  base::Result<rules::App> find(const rules::Caller& caller, std::string_view id) const;
  // By id, at most `count_max` after the id `after`.
  std::vector<rules::App> list(const rules::Caller& caller, std::string_view after,
                               std::size_t count_max) const;

  // Not from an event loop. `malformed`; `forbidden` for an API key; `conflict` where the workspace
  // has all its apps. The workspace is that of a caller, and named by the operator.
  base::Result<rules::App> create(const Actor& by, std::string workspace_id,
                                  const rules::AppChange& wish) const;
  // Not from an event loop. `malformed`, `not_found`, and `forbidden` for a test key or a key that
  // would raise a limit.
  base::Result<rules::App> change(const Actor& by, std::string_view id,
                                  const rules::AppChange& wish) const;

 private:
  rules::AuditEntry entry(const Actor& by, rules::AuditAction action, const rules::App& app,
                          const rules::AppChange& wish) const;

  Parts parts_;
  Options options_;
};

}  // namespace stagedoor::actions
