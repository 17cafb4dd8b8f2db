#include "api/apps.h"

#include <algorithm>
#include <string>
#include <utility>

#include "api/body.h"
#include "api/problem.h"
#include "api/query.h"
#include "base/json_writer.h"

namespace stagedoor::api {
namespace {

using http::Request;
using http::Response;
using rules::AppChange;

constexpr std::int64_t page_default = 100, page_max = 1000;
constexpr std::size_t limit_text_bytes_max = 64;

// null: none of its own; not there: it stays as it is.
std::optional<std::optional<rules::RateLimit>> limit_of(Body& body, std::string_view name) {
  if (body.is_null(name)) return std::optional<rules::RateLimit>();
  const auto text = body.text_if(name, {1, limit_text_bytes_max});
  if (!text) return std::nullopt;
  const auto limit = rules::read_rate_limit(*text);
  if (limit) return std::optional(*limit);
  body.refuse(name, "must be a limit such as \"10/min burst 20\", \"unlimited\", or null");
  return std::nullopt;
}

std::optional<int> count_of(Body& body, std::string_view name, int most) {
  const auto number = body.number_if(name, {1, most});
  return number ? std::optional(static_cast<int>(*number)) : std::nullopt;
}

std::optional<std::chrono::seconds> seconds_of(Body& body, std::string_view name,
                                               std::int64_t most) {
  const auto number = body.number_if(name, {1, most});
  return number ? std::optional(std::chrono::seconds(*number)) : std::nullopt;
}

// null: no such limit.
std::optional<std::optional<std::int64_t>> minutes_of(Body& body) {
  if (body.is_null("monthly_minutes")) return std::optional<std::int64_t>();
  const auto minutes = body.number_if("monthly_minutes", {0, rules::monthly_minutes_max});
  if (!minutes) return std::nullopt;
  return minutes;
}

base::Result<AppChange> read_change(const Request& request) {
  Body body(request);
  AppChange change;
  if (const auto name = body.text_if("name", {1, rules::app_name_bytes_max}))
    change.name = std::string(*name);
  change.token_uses_max = count_of(body, "token_uses_max", rules::app_token_uses_max);
  change.sessions_max = count_of(body, "sessions_max", rules::app_sessions_max);
  change.length_max = seconds_of(body, "length_max_seconds", rules::app_length_seconds_max);
  change.idle_max = seconds_of(body, "idle_max_seconds", rules::app_idle_seconds_max);
  change.rate_limit = limit_of(body, "rate_limit");
  change.end_user_limit = limit_of(body, "end_user_limit");
  change.monthly_minutes = minutes_of(body);
  if (auto read = body.finish(); !read) return base::fail(read.error());
  return change;
}

void write_limit(base::JsonWriter& writer, base::JsonName name,
                 const std::optional<rules::RateLimit>& limit) {
  writer.text_or_null(name, limit ? rules::text_of(*limit) : std::string());
}

}  // namespace

void Apps::add_to(http::Router& router, const front::Guard& guard) const {
  using rules::Permission;
  const auto bound = [this](auto method) {
    return [this, method](const Caller& caller, const Request& in, Response& out) {
      (this->*method)(caller, in, out);
    };
  };
  router.add({"GET", "/v1/apps", guard.quick(Permission::apps_read, bound(&Apps::list))});
  router.add({"POST", "/v1/apps", guard.slow(Permission::apps_write, bound(&Apps::create))});
  router.add({"GET", "/v1/apps/{app_id}", guard.quick(Permission::apps_read, bound(&Apps::show))});
  router.add(
      {"PATCH", "/v1/apps/{app_id}", guard.slow(Permission::apps_write, bound(&Apps::change))});
}

void Apps::write(std::string& out, const rules::App& app) const {
  const auto& limits = app.limits;
  base::JsonWriter writer(out);
  writer.text("id", app.id)
      .text("workspace_id", app.workspace_id)
      .text("name", app.name)
      .number("created_at", base::unix_seconds(app.created_at))
      .number("token_uses_max", limits.token_uses_max)
      .number("length_max_seconds", limits.length_max.count())
      .number("idle_max_seconds", limits.idle_max.count())
      .number("sessions_max", limits.sessions_max);
  write_limit(writer, "rate_limit", limits.rate_limit);
  write_limit(writer, "end_user_limit", limits.end_user_limit);
  const auto& minutes = limits.monthly_minutes;
  writer.json("monthly_minutes", minutes ? std::to_string(*minutes) : "null");
  write_month(writer.begin("this_month"), app);
  writer.end();
}

void Apps::write_month(std::string& out, const rules::App& app) const {
  const auto now = parts_.clock.now();
  const auto seconds = parts_.minutes.seconds_used(app.id, now);
  const auto& minutes = app.limits.monthly_minutes;
  const auto left = minutes ? std::max<std::int64_t>(*minutes - seconds / 60, 0) : 0;
  base::JsonWriter(out)
      .number("began_at", base::unix_seconds(rules::month_of(now)))
      .number("live_seconds_used", seconds)
      .number("minutes_used", seconds / 60)
      .json("minutes_left", minutes ? std::to_string(left) : "null")
      .end();
}

void Apps::answer(Response& response, int status, const base::Result<rules::App>& app) const {
  if (!app) return reply_problem(response, app.error());
  write(response.start(status, "application/json"), *app);
  response.header("Cache-Control", "no-store");
}

void Apps::list(const Caller& caller, const Request& request, Response& response) const {
  const auto limit = number_in_query(request, "limit", 1, page_max);
  if (!limit) return reply_problem(response, limit.error());
  const auto count_max = static_cast<std::size_t>(limit->value_or(page_default));
  // One more than is told shows whether there is a next page.
  auto apps = parts_.keep.list(caller, request.query("cursor").value_or(""), count_max + 1);
  const bool has_more = apps.size() > count_max;
  if (has_more) apps.pop_back();
  base::JsonWriter writer(response.start(200, "application/json"));
  auto& out = writer.begin("data");
  out += '[';
  for (const auto& app : apps) {
    if (&app != &apps.front()) out += ',';
    write(out, app);
  }
  out += ']';
  writer.text_or_null("next", has_more ? apps.back().id : std::string()).end();
  response.header("Cache-Control", "no-store");
}

void Apps::show(const Caller& caller, const Request& request, Response& response) const {
  answer(response, 200, parts_.keep.find(caller, request.path_part("app_id")));
}

void Apps::create(const Caller& caller, const Request& request, Response& response) const {
  const auto wish = read_change(request);
  if (!wish) return reply_problem(response, wish.error());
  answer(response, 201,
         parts_.keep.create({caller, request.peer(), request.id()}, std::string(), *wish));
}

void Apps::change(const Caller& caller, const Request& request, Response& response) const {
  const auto wish = read_change(request);
  if (!wish) return reply_problem(response, wish.error());
  answer(response, 200,
         parts_.keep.change({caller, request.peer(), request.id()}, request.path_part("app_id"),
                            *wish));
}

}  // namespace stagedoor::api
