// Shows, gives and takes away the limits of single end users of an app.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <string_view>
#include <vector>

#include "actions/actor.h"
#include "actions/keep_app.h"
#include "base/clock.h"
#include "base/result.h"
#include "rules/caller.h"
#include "rules/end_user_limits.h"

namespace stagedoor::actions {

// Safe for concurrent use.
class KeepEndUserLimit {
 public:
  struct Parts {
    const KeepApp& apps;
    const rules::Catalog& catalog;
    rules::EndUserLimitRecords& records;
    const base::Clock& clock;
  };
  struct Options {
    rules::RateLimit end_user_limit = rules::RateLimit::unlimited();  // of apps without their own
  };
  KeepEndUserLimit(Parts parts, Options options) : parts_(parts), options_(options) {}

  struct Held {
    std::optional<rules::RateLimit> own;
    rules::AppliedEndUserLimit applied;
  };
  // From memory; an end user need not be known. `not_found` for an app that KeepApp does not find,
  // `malformed` for what is no end user's id.
  base::Result<Held> find(const rules::Caller& caller, std::string_view app_id,
                          std::string_view end_user_id) const;
  // Those that have one of their own, by id, at most `count_max` after the id `after`. From memory;
  // `not_found` as above.
  base::Result<std::vector<rules::EndUserLimit>> list(const rules::Caller& caller,
                                                      std::string_view app_id,
                                                      std::string_view after,
                                                      std::size_t count_max) const;

  // Not from an event loop. `limit` nullopt: takes away what they have. `malformed`; `not_found`
  // for the app, and for taking away what is not there; `forbidden` for a test key, and for a key
  // that would raise what holds; `conflict` for one more than an app may have.
  base::Result<base::Done> change(const Actor& by, std::string_view app_id,
                                  std::string_view end_user_id,
                                  const std::optional<rules::RateLimit>& limit) const;

 private:
  base::Result<rules::App> app_of(const Actor& by, std::string_view app_id) const;
  rules::AuditEntry entry(const Actor& by, const rules::App& app,
                          const rules::EndUserLimitChange& change) const;

  Parts parts_;
  Options options_;
};

}  // namespace stagedoor::actions
