#include "api/live_sessions.h"

#include <algorithm>
#include <string>
#include <utility>

#include "api/problem.h"
#include "api/query.h"
#include "base/json_fields.h"
#include "base/json_writer.h"

namespace stagedoor::api {
namespace {

using base::ErrorCode;
using rules::LiveSession;

constexpr std::int64_t page_default = 100, page_max = 1000;
constexpr std::size_t reason_bytes_max = 200;

void write_session(std::string& out, const LiveSession& session) {
  base::JsonWriter(out)
      .text("id", session.id)
      .text("app_id", session.app_id)
      .text("environment", rules::name_of(session.environment))
      .text("dialect", session.dialect)
      .text("avatar_id", session.avatar_id)
      .text_or_null("end_user_id", session.end_user_id)
      .text("minted_by", session.api_key_id)
      .text("session_token_id", session.token_id)
      .text("peer", session.peer)
      .json("metadata", session.metadata.empty() ? "{}" : session.metadata)
      .number("began_at", base::unix_seconds(session.began_at))
      .number("ends_at", base::unix_seconds(session.ends_at))
      .number("idle_max_seconds", session.idle_max.count())
      .end();
}

// What a list is narrowed to; empty members narrow nothing.
struct Filter {
  std::string app_id, end_user_id, api_key_id, avatar_id, cursor;
  std::optional<rules::Environment> environment;
  std::size_t limit = 0;

  bool matches(const LiveSession& session) const {
    const auto is = [](const std::string& wish, std::string_view value) {
      return wish.empty() || wish == value;
    };
    return is(app_id, session.app_id) && is(end_user_id, session.end_user_id) &&
           is(api_key_id, session.api_key_id) && is(avatar_id, session.avatar_id) &&
           (!environment || *environment == session.environment);
  }
};

base::Result<Filter> read_filter(const http::Request& request) {
  Filter filter;
  for (const auto& [name, member] : {std::pair{"app_id", &Filter::app_id},
                                     {"end_user_id", &Filter::end_user_id},
                                     {"api_key_id", &Filter::api_key_id},
                                     {"avatar_id", &Filter::avatar_id},
                                     {"cursor", &Filter::cursor}})
    filter.*member = request.query(name).value_or("");
  const auto environment = environment_in_query(request);
  if (!environment) return base::fail(environment.error());
  filter.environment = *environment;
  const auto limit = limit_in_query(request, page_default, page_max);
  if (!limit) return base::fail(limit.error());
  filter.limit = static_cast<std::size_t>(*limit);
  return filter;
}

}  // namespace

void LiveSessions::add_to(http::Router& router, const front::Guard& guard) const {
  using rules::Permission;
  const auto bound = [this](auto method) {
    return [this, method](const rules::Caller& caller, const http::Request& request,
                          http::Response& response) { (this->*method)(caller, request, response); };
  };
  router.add({"GET", "/v1/live-sessions",
              guard.quick(Permission::sessions_read, bound(&LiveSessions::list))});
  router.add({"GET", "/v1/live-sessions/{id}",
              guard.quick(Permission::sessions_read, bound(&LiveSessions::get))});
  router.add({"POST", "/v1/live-sessions/{id}/end",
              guard.slow(Permission::sessions_end, bound(&LiveSessions::end))});
}

void LiveSessions::list(const rules::Caller& caller, const http::Request& request,
                        http::Response& response) const {
  const auto filter = read_filter(request);
  if (!filter) return reply_problem(response, filter.error());
  // One more than is told shows whether there is a next page.
  auto sessions = parts_.sessions.list(
      [&](const LiveSession& session) {
        return session.is_visible_to(caller) && filter->matches(session);
      },
      filter->cursor, filter->limit + 1);
  const bool has_more = sessions.size() > filter->limit;
  if (has_more) sessions.pop_back();
  base::JsonWriter writer(response.start(200, "application/json"));
  auto& out = writer.begin("data");
  out += '[';
  for (const auto& session : sessions) {
    if (&session != &sessions.front()) out += ',';
    write_session(out, session);
  }
  out += ']';
  writer.text_or_null("next", has_more ? sessions.back().id : std::string()).end();
  response.header("Cache-Control", "no-store");
}

void LiveSessions::get(const rules::Caller& caller, const http::Request& request,
                       http::Response& response) const {
  const auto session = parts_.sessions.find(request.path_part("id"));
  if (!session || !session->is_visible_to(caller))
    return reply_problem(response, {ErrorCode::not_found, "no live session to show",
                                    "There is no live session with this id."});
  write_session(response.start(200, "application/json"), *session);
  response.header("Cache-Control", "no-store");
}

void LiveSessions::end(const rules::Caller& caller, const http::Request& request,
                       http::Response& response) const {
  thread_local base::JsonReader reader;
  const auto json = reader.read(request.body().empty() ? "{}" : request.body());
  if (!json) return reply_problem(response, json.error());
  base::JsonFields fields(*json);
  const auto reason = fields.text("reason", reason_bytes_max).value_or("");
  if (const auto read = fields.finish(); !read) return reply_problem(response, read.error());
  const auto id = request.path_part("id");
  const auto done = parts_.end(
      caller,
      {.session_id = id, .reason = reason, .peer = request.peer(), .request_id = request.id()});
  if (!done) return reply_problem(response, done.error());
  base::JsonWriter(response.start(202, "application/json"))
      .text("id", id)
      .json("is_ending", "true")
      .end();
  response.header("Cache-Control", "no-store");
}

}  // namespace stagedoor::api
