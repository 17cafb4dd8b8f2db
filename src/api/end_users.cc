#include "api/end_users.h"

#include <string>

#include "api/body.h"
#include "api/problem.h"
#include "api/query.h"
#include "base/json_writer.h"

namespace stagedoor::api {
namespace {

using http::Request;
using http::Response;

constexpr std::int64_t page_default = 100, page_max = 1000;
constexpr std::size_t limit_text_bytes_max = 64;

base::Result<rules::RateLimit> read_limit(const Request& request) {
  Body body(request);
  const auto text = body.text("rate_limit", {1, limit_text_bytes_max});
  const auto limit = rules::read_rate_limit(text);
  if (!limit) body.refuse("rate_limit", "must be a limit such as \"10/min burst 20\"");
  if (auto read = body.finish(); !read) return base::fail(read.error());
  return *limit;
}

actions::Actor by(const rules::Caller& caller, const Request& request) {
  return {caller, request.peer(), request.id()};
}

}  // namespace

void EndUsers::add_to(http::Router& router, const front::Guard& guard) const {
  using rules::Permission;
  const auto bound = [this](auto method) {
    return [this, method](const Caller& caller, const Request& in, Response& out) {
      (this->*method)(caller, in, out);
    };
  };
  const std::string all = "/v1/apps/{app_id}/end-users", one = all + "/{end_user_id}";
  router.add({"GET", all, guard.quick(Permission::apps_read, bound(&EndUsers::list))});
  router.add({"GET", one, guard.quick(Permission::apps_read, bound(&EndUsers::show))});
  router.add({"PUT", one, guard.slow(Permission::apps_write, bound(&EndUsers::set))});
  router.add({"DELETE", one, guard.slow(Permission::apps_write, bound(&EndUsers::remove))});
}

void EndUsers::list(const Caller& caller, const Request& request, Response& response) const {
  const auto limit = limit_in_query(request, page_default, page_max);
  if (!limit) return reply_problem(response, limit.error());
  const auto count_max = static_cast<std::size_t>(*limit);
  // One more than is told shows whether there is a next page.
  auto found = keep_.list(caller, request.path_part("app_id"), request.query("cursor").value_or(""),
                          count_max + 1);
  if (!found) return reply_problem(response, found.error());
  const bool has_more = found->size() > count_max;
  if (has_more) found->pop_back();
  base::JsonWriter writer(response.start(200, "application/json"));
  auto& out = writer.begin("data");
  out += '[';
  for (const auto& each : *found) {
    if (&each != &found->front()) out += ',';
    base::JsonWriter(out)
        .text("end_user_id", each.end_user_id)
        .text("rate_limit", rules::text_of(each.limit))
        .end();
  }
  out += ']';
  writer.text_or_null("next", has_more ? found->back().end_user_id : std::string()).end();
  response.header("Cache-Control", "no-store");
}

void EndUsers::show(const Caller& caller, const Request& request, Response& response) const {
  const auto end_user_id = request.path_part("end_user_id");
  const auto held = keep_.find(caller, request.path_part("app_id"), end_user_id);
  if (!held) return reply_problem(response, held.error());
  base::JsonWriter writer(response.start(200, "application/json"));
  writer.text("end_user_id", end_user_id)
      .text_or_null("rate_limit", held->own ? rules::text_of(*held->own) : std::string());
  base::JsonWriter(writer.begin("applied"))
      .text("rate_limit", rules::text_of(held->applied.limit))
      .text("from", rules::name_of(held->applied.from))
      .end();
  writer.end();
  response.header("Cache-Control", "no-store");
}

void EndUsers::set(const Caller& caller, const Request& request, Response& response) const {
  const auto limit = read_limit(request);
  if (!limit) return reply_problem(response, limit.error());
  const auto done = keep_.change(by(caller, request), request.path_part("app_id"),
                                 request.path_part("end_user_id"), *limit);
  if (!done) return reply_problem(response, done.error());
  show(caller, request, response);
}

void EndUsers::remove(const Caller& caller, const Request& request, Response& response) const {
  const auto done = keep_.change(by(caller, request), request.path_part("app_id"),
                                 request.path_part("end_user_id"), std::nullopt);
  if (!done) return reply_problem(response, done.error());
  response.header("Cache-Control", "no-store");
  response.start(204, "");
}

}  // namespace stagedoor::api
