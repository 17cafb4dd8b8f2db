// Which app and which environment a call is about.
//
// Rule app-chosen-by-its-owner: an API key means its own app and environment, whatever it names; a
// person names an app of their workspace, and the environment. An app of another workspace is the
// same `not_found` as none.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <optional>
#include <string_view>

#include "base/result.h"
#include "rules/app.h"
#include "rules/caller.h"

namespace stagedoor::actions {

struct ChosenApp {
  const rules::App* app;
  rules::Environment environment;
};

// `app_mismatch` where a key names another app than its own, `forbidden` where it names the other
// environment; `malformed` where a person leaves one of them out; `not_found`.
base::Result<ChosenApp> choose_app(const rules::Catalog& catalog, const rules::Caller& caller,
                                   std::string_view app_id,
                                   std::optional<rules::Environment> environment);

// The environment alone, where the call may be about all apps of a person's workspace.
base::Result<rules::Environment> choose_environment(const rules::Caller& caller,
                                                    std::optional<rules::Environment> environment);

}  // namespace stagedoor::actions
