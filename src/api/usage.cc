#include "api/usage.h"

#include <string>
#include <tuple>
#include <utility>

#include "api/problem.h"
#include "api/query.h"
#include "base/json.h"

namespace stagedoor::api {
namespace {

using base::ErrorCode;
using http::Request;
using http::Response;
using rules::UsageOf;

constexpr std::int64_t rows_in_page_max = 1000;
constexpr std::chrono::days days_max{400};
constexpr std::chrono::days days_by_default{30};

base::Instant full_hour(base::Instant at) {
  return std::chrono::floor<std::chrono::hours>(at);
}

base::Result<rules::UsagePeriod> period_in_query(const Request& request) {
  const auto by = request.query("by").value_or("day");
  if (by == "hour") return rules::UsagePeriod::hour;
  if (by == "day") return rules::UsagePeriod::day;
  if (by == "month") return rules::UsagePeriod::month;
  return base::fail(ErrorCode::malformed, "query by",
                    "`by` must be \"hour\", \"day\" or \"month\".");
}

// The time that is asked for: its beginning and its end.
base::Result<std::pair<base::Instant, base::Instant>> range_in_query(const Request& request,
                                                                     base::Instant now) {
  const auto from = time_in_query(request, "from");
  if (!from) return base::fail(from.error());
  const auto to = time_in_query(request, "to");
  if (!to) return base::fail(to.error());
  const auto end = *to ? full_hour(**to) : full_hour(now) + std::chrono::hours(1);
  const auto begin = full_hour(from->value_or(end - days_by_default));
  if (begin < end && end - begin <= days_max) return std::pair(begin, end);
  return base::fail(ErrorCode::malformed, "query from and to",
                    "`from` must be before `to`, by an hour at least and 400 days at most.");
}

std::unexpected<base::Error> no_such_app() {
  return base::fail(ErrorCode::not_found, "usage of an app of others", "There is no such app.");
}

void append_row(std::string& body, UsageOf what, const rules::UsageRow& row) {
  const auto number = [&](std::string_view name, std::int64_t value) {
    body.append(",\"").append(name).append("\":").append(std::to_string(value));
  };
  const auto text = [&](std::string_view name, std::string_view value) {
    body.append(",\"").append(name).append("\":");
    base::append_json_string(body, value);
  };
  body += "{\"period_at\":" + std::to_string(base::unix_seconds(row.period_at));
  text("app_id", row.app_id);
  text("environment", rules::name_of(row.environment));
  if (what == UsageOf::keys) text("api_key_id", row.who);
  if (what == UsageOf::end_users) text("end_user_id", row.who);
  if (what != UsageOf::end_users) {
    number("calls", row.calls);
    number("refusals", row.refusals);
  }
  number("sessions", row.sessions);
  number("seconds", row.seconds);
  number("billable_seconds", row.billable_seconds());
  body += '}';
}

rules::UsageCursor cursor_after(const rules::UsageRow& row) {
  return {.period_seconds = base::unix_seconds(row.period_at),
          .app_id = row.app_id,
          .environment = static_cast<int>(row.environment),
          .who = row.who};
}

}  // namespace

void Usage::add_to(http::Router& router, const front::Guard& guard) const {
  for (const auto& [path, what] :
       {std::pair{"/v1/usage", UsageOf::apps}, std::pair{"/v1/usage/keys", UsageOf::keys},
        std::pair{"/v1/usage/end-users", UsageOf::end_users}}) {
    router.add({"GET", path,
                guard.slow(rules::Permission::usage_read,
                           [this, of = what](const rules::Caller& caller, const Request& in,
                                             Response& out) { read(of, caller, in, out); })});
  }
}

base::Result<rules::UsageQuery> Usage::query_of(const rules::Caller& caller,
                                                const Request& request) const {
  const auto range = range_in_query(request, parts_.clock.now());
  if (!range) return base::fail(range.error());
  const auto period = period_in_query(request);
  if (!period) return base::fail(period.error());
  const auto environment = environment_in_query(request);
  if (!environment) return base::fail(environment.error());
  const auto limit = limit_in_query(request, 100, rows_in_page_max);
  if (!limit) return base::fail(limit.error());
  rules::UsageQuery query;
  std::tie(query.from, query.until) = *range;
  query.by = *period;
  query.environment = *environment;
  query.count_max = static_cast<std::size_t>(*limit);
  query.workspace_id = caller.workspace_id();
  query.app_id = request.query("app_id").value_or("");
  if (const auto cursor = request.query("cursor")) {
    const auto beyond = rules::parse_usage_cursor(*cursor);
    if (!beyond) return base::fail(beyond.error());
    query.beyond = *beyond;
  }
  if (caller.kind() == rules::CallerKind::api_key) {
    if (!query.app_id.empty() && query.app_id != caller.app().id) return no_such_app();
    if (query.environment && *query.environment != caller.environment())
      return base::fail(ErrorCode::forbidden, "usage of the other environment",
                        "A key sees the usage of its own environment only.");
    query.app_id = caller.app().id;
    query.environment = caller.environment();
  } else if (!query.app_id.empty()) {
    const auto* app = parts_.catalog.app(query.app_id);
    if (app == nullptr || app->workspace_id != caller.workspace_id()) return no_such_app();
  }
  return query;
}

void Usage::read(UsageOf what, const rules::Caller& caller, const Request& request,
                 Response& response) const {
  const auto query = query_of(caller, request);
  if (!query) return reply_problem(response, query.error());
  const auto page = parts_.report.read(what, *query);
  if (!page) return reply_problem(response, page.error());
  auto& body = response.start(200, "application/json");
  body += "{\"from_at\":" + std::to_string(base::unix_seconds(query->from));
  body += ",\"to_at\":" + std::to_string(base::unix_seconds(query->until));
  body += ",\"data\":[";
  for (const auto& row : page->rows) {
    if (&row != &page->rows.front()) body += ',';
    append_row(body, what, row);
  }
  body += "],\"next\":";
  if (page->has_more) {
    base::append_json_string(body, rules::text_of(cursor_after(page->rows.back())));
  } else {
    body += "null";
  }
  body += '}';
  response.header("Cache-Control", "no-store");
}

}  // namespace stagedoor::api
