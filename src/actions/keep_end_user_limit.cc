#include "actions/keep_end_user_limit.h"

#include <string>

namespace stagedoor::actions {

using base::ErrorCode;

base::Result<KeepEndUserLimit::Held> KeepEndUserLimit::find(const rules::Caller& caller,
                                                            std::string_view app_id,
                                                            std::string_view end_user_id) const {
  const auto app = parts_.apps.find(caller, app_id);
  if (!app) return base::fail(app.error());
  if (auto checked = rules::check_end_user_id(end_user_id); !checked)
    return base::fail(checked.error());
  const auto own = parts_.records.limit_of(app->id, end_user_id);
  return Held{own, rules::applied_limit(own, app->limits, options_.end_user_limit)};
}

base::Result<std::vector<rules::EndUserLimit>> KeepEndUserLimit::list(const rules::Caller& caller,
                                                                      std::string_view app_id,
                                                                      std::string_view after,
                                                                      std::size_t count_max) const {
  const auto app = parts_.apps.find(caller, app_id);
  if (!app) return base::fail(app.error());
  return parts_.records.list(app->id, after, count_max);
}

base::Result<rules::App> KeepEndUserLimit::app_of(const Actor& by, std::string_view app_id) const {
  if (by.caller() != nullptr) return parts_.apps.find(*by.caller(), app_id);
  rules::App app;
  app.id = app_id;  // what is not there, the records say
  if (const auto* known = parts_.catalog.app(app_id)) app = *known;
  return app;
}

rules::AuditEntry KeepEndUserLimit::entry(const Actor& by, const rules::App& app,
                                          const rules::EndUserLimitChange& change) const {
  const auto action = change.limit ? rules::AuditAction::end_user_limit_set
                                   : rules::AuditAction::end_user_limit_remove;
  return by.entry(parts_.clock.now(), app.workspace_id, action, app.id, rules::text_of(change));
}

base::Result<base::Done> KeepEndUserLimit::change(
    const Actor& by, std::string_view app_id, std::string_view end_user_id,
    const std::optional<rules::RateLimit>& limit) const {
  const auto subject = app_of(by, app_id);
  if (!subject) return base::fail(subject.error());
  if (auto checked = rules::check_end_user_id(end_user_id); !checked) return checked;
  if (by.is_test_key()) {
    return base::fail(ErrorCode::forbidden, "an end user's limit changed by a test key",
                      "An end user's limit holds in both environments, and a test key changes test "
                      "data only.");
  }
  const auto allow = [&](const std::optional<rules::RateLimit>& own,
                         const rules::App& app) -> base::Result<base::Done> {
    if (!by.is_key()) return base::Done{};
    const auto applied = [&](const std::optional<rules::RateLimit>& of_them) {
      return rules::applied_limit(of_them, app.limits, options_.end_user_limit);
    };
    return rules::check_not_looser(applied(limit), applied(own));
  };
  const rules::EndUserLimitChange wish{subject->id, std::string(end_user_id), limit};
  return parts_.records.change(wish, allow, entry(by, *subject, wish));
}

}  // namespace stagedoor::actions
