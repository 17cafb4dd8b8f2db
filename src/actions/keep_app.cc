#include "actions/keep_app.h"

#include <utility>

namespace stagedoor::actions {
namespace {

using base::ErrorCode;
using rules::CallerKind;

bool is_key(const rules::Caller* caller) {
  return caller != nullptr && caller->kind() == CallerKind::api_key;
}

bool may_see(const rules::Caller& caller, const rules::App& app) {
  if (is_key(&caller)) return app.id == caller.app().id;
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
  if (!is_key(&caller)) return parts_.apps.list(caller.workspace_id(), after, count_max);
  // The newest state of it, not the one that the call came in with.
  const auto* app = parts_.catalog.app(caller.app().id);
  if (app == nullptr || app->id <= after || count_max == 0) return {};
  return {*app};
}

rules::AuditEntry KeepApp::entry(const By& by, rules::AuditAction action, const rules::App& app,
                                 const rules::AppChange& wish) const {
  rules::AuditEntry entry;
  entry.at = parts_.clock.now();
  entry.workspace_id = app.workspace_id;
  entry.actor = by.caller_ == nullptr ? "operator" : by.caller_->actor();
  entry.action = name_of(action);
  entry.subject = app.id;
  entry.peer = by.peer_;
  entry.request_id = by.request_id_;
  entry.detail = rules::text_of(wish);
  return entry;
}

base::Result<rules::App> KeepApp::create(const By& by, std::string workspace_id,
                                         const rules::AppChange& wish) const {
  if (is_key(by.caller_)) {
    return base::fail(ErrorCode::forbidden, "an app made by a key",
                      "An API key belongs to one app and makes no others; a person does.");
  }
  if (!wish.name)
    return base::fail(ErrorCode::malformed, "an app without a name", "name is missing.");
  if (auto checked = rules::check(wish); !checked) return base::fail(checked.error());
  rules::App app;
  app.id = "app_" + base::random_base62(parts_.random, 20);
  app.workspace_id = by.caller_ == nullptr ? std::move(workspace_id) : by.caller_->workspace_id();
  app.created_at = parts_.clock.now();
  app = rules::changed(std::move(app), wish);
  if (auto made = parts_.apps.create(app, entry(by, rules::AuditAction::app_create, app, wish));
      !made)
    return base::fail(made.error());
  return app;
}

base::Result<rules::App> KeepApp::change(const By& by, std::string_view id,
                                         const rules::AppChange& wish) const {
  if (auto checked = rules::check(wish); !checked) return base::fail(checked.error());
  rules::App subject;
  subject.id = id;
  if (by.caller_ != nullptr) {
    auto found = find(*by.caller_, id);
    if (!found) return found;
    subject = *std::move(found);
  } else if (const auto* app = parts_.catalog.app(id)) {
    subject = *app;
  }
  if (is_key(by.caller_) && by.caller_->environment() == rules::Environment::test) {
    return base::fail(ErrorCode::forbidden, "an app changed by a test key",
                      "Both environments share an app, and a test key changes test data only.");
  }
  const auto apply = [&](const rules::App& before) -> base::Result<rules::App> {
    auto after = rules::changed(before, wish);
    if (is_key(by.caller_)) {
      auto narrower = rules::check_not_looser(after.limits, before.limits, options_.end_user_limit);
      if (!narrower) return base::fail(narrower.error());
    }
    return after;
  };
  return parts_.apps.change(id, apply, entry(by, rules::AuditAction::app_change, subject, wish));
}

}  // namespace stagedoor::actions
