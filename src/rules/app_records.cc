#include "rules/app_records.h"

#include <array>
#include <utility>

#include "base/text.h"
#include "rules/monthly_minutes.h"

namespace stagedoor::rules {
namespace {

using base::ErrorCode;

std::unexpected<base::Error> out_of_bounds(std::string_view name, std::int64_t most) {
  return base::fail(
      ErrorCode::malformed, "app limit " + std::string(name),
      std::string(name) + " must be a whole number from 1 to " + std::to_string(most) + ".");
}

std::string text_of_limit(const std::optional<RateLimit>& limit) {
  return limit ? text_of(*limit) : "none";
}

bool is_looser(const std::optional<RateLimit>& after, const std::optional<RateLimit>& before,
               const RateLimit& otherwise) {
  return is_higher(after.value_or(otherwise), before.value_or(otherwise));
}

}  // namespace

bool AppChange::is_empty() const {
  return !name && !token_uses_max && !sessions_max && !length_max && !idle_max && !rate_limit &&
         !end_user_limit && !monthly_minutes;
}

base::Result<base::Done> check(const AppChange& change) {
  if (change.name && (change.name->empty() || change.name->size() > app_name_bytes_max ||
                      !base::has_no_control(*change.name))) {
    return base::fail(ErrorCode::malformed, "app name",
                      "name must be 1 to 100 bytes of text without control characters.");
  }
  struct Bound {
    std::string_view name;
    std::optional<std::int64_t> value;
    std::int64_t most;
  };
  const auto seconds_of = [](const std::optional<std::chrono::seconds>& value) {
    return value ? std::optional<std::int64_t>(value->count()) : std::nullopt;
  };
  for (const auto& bound : std::array<Bound, 4>{
           {{"token_uses_max", change.token_uses_max, app_token_uses_max},
            {"sessions_max", change.sessions_max, app_sessions_max},
            {"length_max_seconds", seconds_of(change.length_max), app_length_seconds_max},
            {"idle_max_seconds", seconds_of(change.idle_max), app_idle_seconds_max}}})
    if (bound.value && (*bound.value < 1 || *bound.value > bound.most))
      return out_of_bounds(bound.name, bound.most);
  const auto minutes = change.monthly_minutes.value_or(std::nullopt);
  if (minutes && (*minutes < 0 || *minutes > monthly_minutes_max)) {
    return base::fail(ErrorCode::malformed, "app limit monthly_minutes",
                      "monthly_minutes must be a whole number from 0 to 1000000000, or null.");
  }
  return base::Done{};
}

App changed(App app, const AppChange& change) {
  auto& limits = app.limits;
  if (change.name) app.name = *change.name;
  if (change.token_uses_max) limits.token_uses_max = *change.token_uses_max;
  if (change.sessions_max) limits.sessions_max = *change.sessions_max;
  if (change.length_max) limits.length_max = *change.length_max;
  if (change.idle_max) limits.idle_max = *change.idle_max;
  if (change.rate_limit) limits.rate_limit = *change.rate_limit;
  if (change.end_user_limit) limits.end_user_limit = *change.end_user_limit;
  if (change.monthly_minutes) limits.monthly_minutes = *change.monthly_minutes;
  return app;
}

std::string text_of(const AppChange& change) {
  std::string text;
  const auto add = [&](std::string_view name, const std::string& value) {
    if (!text.empty()) text += ", ";
    text.append(name).append("=").append(value);
  };
  if (change.name) add("name", *change.name);
  if (change.token_uses_max) add("token_uses_max", std::to_string(*change.token_uses_max));
  if (change.length_max) add("length_max_seconds", std::to_string(change.length_max->count()));
  if (change.idle_max) add("idle_max_seconds", std::to_string(change.idle_max->count()));
  if (change.sessions_max) add("sessions_max", std::to_string(*change.sessions_max));
  if (change.rate_limit) add("rate_limit", text_of_limit(*change.rate_limit));
  if (change.end_user_limit) add("end_user_limit", text_of_limit(*change.end_user_limit));
  if (change.monthly_minutes) {
    const auto& minutes = *change.monthly_minutes;
    add("monthly_minutes", minutes ? std::to_string(*minutes) : "none");
  }
  return text;
}

base::Result<base::Done> check_not_looser(const AppLimits& after, const AppLimits& before,
                                          const RateLimit& end_user_default) {
  const auto unlimited = RateLimit::unlimited();
  const auto minutes_of = [](const AppLimits& limits) {
    return limits.monthly_minutes.value_or(monthly_minutes_max + 1);
  };
  const std::array<std::pair<std::string_view, bool>, 7> looser = {{
      {"token_uses_max", after.token_uses_max > before.token_uses_max},
      {"length_max_seconds", after.length_max > before.length_max},
      {"idle_max_seconds", after.idle_max > before.idle_max},
      {"sessions_max", after.sessions_max > before.sessions_max},
      {"rate_limit", is_looser(after.rate_limit, before.rate_limit, unlimited)},
      {"end_user_limit", is_looser(after.end_user_limit, before.end_user_limit, end_user_default)},
      {"monthly_minutes", minutes_of(after) > minutes_of(before)},
  }};
  for (const auto& [name, is_so] : looser) {
    if (!is_so) continue;
    return base::fail(ErrorCode::forbidden, "an app raised by its key: " + std::string(name),
                      "An API key can't raise " + std::string(name) +
                          " of its own app; an admin of the workspace can.");
  }
  return base::Done{};
}

}  // namespace stagedoor::rules
