#include "actions/choose_app.h"

#include <string>

namespace stagedoor::actions {

using base::ErrorCode;

base::Result<rules::Environment> choose_environment(const rules::Caller& caller,
                                                    std::optional<rules::Environment> environment) {
  if (caller.kind() == rules::CallerKind::api_key) {
    if (!environment || *environment == caller.environment()) return caller.environment();
    return base::fail(ErrorCode::forbidden, "a key for the other environment",
                      "This is a " + std::string(rules::name_of(caller.environment())) +
                          " key: it sees and makes nothing of the other environment.");
  }
  if (environment) return *environment;
  return base::fail(ErrorCode::malformed, "a person without an environment",
                    "environment is missing: a person says live or test.");
}

base::Result<ChosenApp> choose_app(const rules::Catalog& catalog, const rules::Caller& caller,
                                   std::string_view app_id,
                                   std::optional<rules::Environment> environment) {
  const auto chosen = choose_environment(caller, environment);
  if (caller.kind() == rules::CallerKind::api_key) {
    if (!app_id.empty() && app_id != caller.app().id) {
      return base::fail(ErrorCode::app_mismatch, "another app than the key's",
                        "The API key belongs to another app than the one given.");
    }
    if (!chosen) return base::fail(chosen.error());
    return ChosenApp{.app = &caller.app(), .environment = *chosen};
  }
  if (app_id.empty()) {
    return base::fail(ErrorCode::malformed, "a person without an app",
                      "app_id is missing: a person says which app.");
  }
  if (!chosen) return base::fail(chosen.error());
  const auto* app = catalog.app(app_id);
  if (app == nullptr || caller.workspace_id().empty() ||
      app->workspace_id != caller.workspace_id()) {
    return base::fail(ErrorCode::not_found, "an app that is not the workspace's",
                      "There is no app with this id.");
  }
  return ChosenApp{.app = app, .environment = *chosen};
}

}  // namespace stagedoor::actions
