#include "anam/sessions.h"

#include <string>
#include <utility>

#include "actions/choose_app.h"
#include "anam/error_reply.h"
#include "anam/report_reply.h"
#include "base/iso_time.h"
#include "base/json_writer.h"
#include "front/query.h"

namespace stagedoor::anam {

using http::Request;
using http::Response;
using rules::Permission;

namespace {

// A key's own where it names none; of a person the live one, which is what users meet.
base::Result<std::optional<rules::Environment>> environment_asked_for(const Request& request,
                                                                      const rules::Caller& caller) {
  const auto named = request.query("environment");
  if (named == "live") return rules::Environment::live;
  if (named == "test") return rules::Environment::test;
  if (named)
    return base::fail(base::ErrorCode::malformed, "an environment that is none",
                      "environment must be live or test.");
  if (caller.kind() == rules::CallerKind::api_key) return std::nullopt;
  return rules::Environment::live;
}

}  // namespace

void Sessions::add_to(http::Router& router, const front::Guard& guard) const {
  using Method = void (Sessions::*)(const Caller&, const Request&, Response&) const;
  const auto add = [&](std::string method, std::string pattern, Permission needs, Method work) {
    router.add(
        {std::move(method), std::move(pattern),
         guard.slow(needs, [this, work](const Caller& caller, const Request& in, Response& out) {
           (this->*work)(caller, in, out);
         })});
  };
  add("GET", "/v1/sessions/concurrency", Permission::sessions_read, &Sessions::concurrency);
  add("GET", "/v1/sessions/{id}/transcript", Permission::sessions_read, &Sessions::transcript);
  add("GET", "/v1/sessions/{id}/recording", Permission::sessions_read, &Sessions::recording);
  add("POST", "/v1/sessions/{id}/stop", Permission::sessions_end, &Sessions::stop);
  add("DELETE", "/v1/sessions/{id}", Permission::sessions_end, &Sessions::remove);
}

void Sessions::transcript(const Caller& caller, const Request& request, Response& response) const {
  const auto session =
      parts_.records.find(rules::visible_sessions(caller), std::string(request.path_part("id")));
  if (!session) return reply(response, session.error());
  const auto report = parts_.reports.find(session->id);
  if (!report) return reply(response, report.error());
  const auto& facts = session->facts;
  base::JsonWriter body(response.start(200, "application/json"));
  body.text("sessionId", session->id)
      .text_or_null("personaName", facts ? facts->persona_name : "")
      .text("startTime", base::iso_time(session->began_at));
  const auto& ended_at = session->ended_at;
  body.text_or_null("endTime", ended_at ? base::iso_time(*ended_at) : "");
  append_millis(body, "durationMs",
                ended_at ? std::optional(*ended_at - session->began_at) : std::nullopt);
  body.number("totalMessages", static_cast<std::int64_t>(report->messages.size()))
      .json("transcriptsEnabled", facts && facts->keeps_transcript ? "true" : "false")
      .json("isTruncated", report->is_cut ? "true" : "false");
  append_messages(body.begin("messages"), report->messages);
  body.end();
  response.header("Cache-Control", "no-store");
}

void Sessions::recording(const Caller& caller, const Request& request, Response& response) const {
  const auto session =
      parts_.records.find(rules::visible_sessions(caller), std::string(request.path_part("id")));
  if (!session) return reply(response, session.error());
  reply(response, base::Error{base::ErrorCode::not_found,
                              "a recording",
                              "This server makes no recordings of sessions.",
                              {}});
}

void Sessions::stop(const Caller& caller, const Request& request, Response& response) const {
  const auto done = parts_.end(caller, {.session_id = request.path_part("id"),
                                        .reason = "stop",
                                        .peer = request.peer(),
                                        .request_id = request.id()});
  if (!done) return reply(response, done.error());
  response.start(200, "application/json") = "{}";
  response.header("Cache-Control", "no-store");
}

void Sessions::remove(const Caller& caller, const Request& request, Response& response) const {
  const auto done = parts_.remove(caller, {.session_id = std::string(request.path_part("id")),
                                           .peer = request.peer(),
                                           .request_id = request.id()});
  if (!done) return reply(response, done.error());
  response.start(200, "application/json") = R"({"message":"Session deleted"})";
  response.header("Cache-Control", "no-store");
}

void Sessions::concurrency(const Caller& caller, const Request& request, Response& response) const {
  const auto named = request.query("appId").value_or("");
  const bool is_key = caller.kind() == rules::CallerKind::api_key;
  const auto environment = environment_asked_for(request, caller);
  if (!environment) return reply(response, environment.error());
  if (!is_key && named.empty())
    return reply(response, base::Error{base::ErrorCode::malformed,
                                       "a person without an app",
                                       "appId is missing: a person says which app.",
                                       {}});
  const auto chosen = actions::choose_app(parts_.catalog, caller, named, *environment);
  if (!chosen) return reply(response, chosen.error());
  const auto limit = chosen->app->limits.sessions_max;
  const auto active = static_cast<std::int64_t>(
      parts_.live.count_of({.app_id = chosen->app->id, .environment = chosen->environment}));
  base::JsonWriter body(response.start(200, "application/json"));
  body.number("limit", limit)
      .number("active", active)
      .json("canStartSession", active < limit ? "true" : "false")
      .json("estimatedWaitSeconds", "null")
      .end();
  response.header("Cache-Control", "no-store");
}

}  // namespace stagedoor::anam
