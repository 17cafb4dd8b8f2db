#include "actions/keep_app.h"

#include <utility>

namespace stagedoor::actions {
namespace {

using base::ErrorCode;

bool is_key(const rules::Caller& caller) {
  return caller.kind() == rules::CallerKind::api_key;
}

bool may_see(const rules::Caller& caller, const rules::App& app) {
  if (is_key(caller)) return app.id == caller.app().id;
  return !caller.workspace_id().empty() && app.workspace_id == caller.workspace_id();
}

}  // namespace

base::Result<rules::App> KeepApp::find(const rules::Caller& caller, std::string_view id) const {
  const auto* app = parts_.catalog.app(id);
  if (app != nullptr && may_see(caller, *app)) return *app;
  return base::fail(ErrorCode::not_found, "an app that is not the caller's",
                    "There is no app with this id.");
}

std::vector<rules::App> KeepApp::list(const rules::Caller& caller, std::string_view after,
                                      std::size_t count_max) const {
  if (!is_key(caller)) return parts_.apps.list(caller.workspace_id(), after, count_max);
  // The newest state of it, not the one that the call came in with.
  const auto* app = parts_.catalog.app(caller.app().id);
  if (app == nullptr || app->id <= after || count_max == 0) return {};
  return {*app};
}

rules::AuditEntry KeepApp::entry(const Actor& by, rules::AuditAction action, const rules::App& app,
                                 const rules::AppChange& wish) const {
  return by.entry(parts_.clock.now(), app.workspace_id, action, app.id, rules::text_of(wish));
}

base::Result<rules::App> KeepApp::create(const Actor& by, std::string workspace_id,
                                         const rules::AppChange& wish) const {
  if (by.is_key()) {
    return base::fail(ErrorCode::forbidden, "an app made by a key",
                      "An API key belongs to one app and makes no others; a person does.");
  }
  if (!wish.name)
    return base::fail(ErrorCode::malformed, "an app without a name", "name is missing.");
  if (auto checked = rules::check(wish); !checked) return base::fail(checked.error());
  rules::App app;
  app.id = "app_" + base::random_base62(parts_.random, 20);
  app.workspace_id = by.caller() == nullptr ? std::move(workspace_id) : by.caller()->workspace_id();
  app.created_at = parts_.clock.now();
  app = rules::changed(std::move(app), wish);
  if (auto made = parts_.apps.create(app, entry(by, rules::AuditAction::app_create, app, wish));
      !made)
    return base::fail(made.error());
  return app;
}

base::Result<rules::App> KeepApp::change(const Actor& by, std::string_view id,
                                         const rules::AppChange& wish) const {
  if (auto checked = rules::check(wish); !checked) return base::fail(checked.error());
  rules::App subject;
  subject.id = id;
  if (by.caller() != nullptr) {
    auto found = find(*by.caller(), id);
    if (!found) return found;
    subject = *std::move(found);
  } else if (const auto* app = parts_.catalog.app(id)) {
    subject = *app;
  }
  if (by.is_test_key()) {
    return base::fail(ErrorCode::forbidden, "an app changed by a test key",
                      "Both environments share an app, and a test key changes test data only.");
  }
  const auto apply = [&](const rules::App& before) -> base::Result<rules::App> {
    auto after = rules::changed(before, wish);
    if (by.is_key()) {
      auto narrower = rules::check_not_looser(after.limits, before.limits, options_.end_user_limit);
      if (!narrower) return base::fail(narrower.error());
    }
    return after;
  };
  return parts_.apps.change(id, apply, entry(by, rules::AuditAction::app_change, subject, wish));
}

}  // namespace stagedoor::actions
