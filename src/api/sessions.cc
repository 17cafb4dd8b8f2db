#include "api/sessions.h"

#include <algorithm>
#include <chrono>
#include <string>

#include "api/problem.h"
#include "api/query.h"
#include "base/json_writer.h"
#include "rules/api_key.h"

namespace stagedoor::api {
namespace {

using base::ErrorCode;
using http::Request;
using http::Response;
using rules::SessionRecord;

constexpr std::int64_t page_max = 1000;

// Where it lives, up to when it was last seen.
std::int64_t seconds_of(const SessionRecord& session) {
  const auto lasted = session.ended_at.value_or(session.last_seen_at) - session.began_at;
  return std::max<std::int64_t>(std::chrono::ceil<std::chrono::seconds>(lasted).count(), 0);
}

void write_session(std::string& out, const SessionRecord& session) {
  const auto key = session.api_key_id == 0 ? "" : rules::api_key_id_text(session.api_key_id);
  base::JsonWriter writer(out);
  writer.text("id", session.id)
      .text("state", session.ended_at ? "ended" : "live")
      .text("app_id", session.app_id)
      .text("environment", rules::name_of(session.environment))
      .text("dialect", session.dialect)
      .text("avatar_id", session.avatar_id)
      .text_or_null("end_user_id", session.end_user_id)
      .text_or_null("api_key_id", key)
      .text("session_token_id", session.token_id)
      .text("peer", session.peer)
      .number("connections", session.connections)
      .number("began_at", base::unix_seconds(session.began_at));
  if (session.ended_at) {
    writer.number("ended_at", base::unix_seconds(*session.ended_at));
  } else {
    writer.json("ended_at", "null");
  }
  writer.text_or_null("end_reason", session.end_reason)
      .number("seconds", seconds_of(session))
      .end();
}

// What the caller may see at all.
rules::SessionQuery visible_to(const rules::Caller& caller) {
  rules::SessionQuery query;
  query.workspace_id = caller.workspace_id();
  if (caller.kind() == rules::CallerKind::api_key) {
    query.app_id = caller.app().id;
    query.environment = caller.environment();
  }
  return query;
}

// The value of a parameter that is one of two words: true for the first.
base::Result<std::optional<bool>> word_in_query(const Request& request, std::string_view name,
                                                std::string_view first, std::string_view second) {
  const auto text = request.query(name);
  if (!text) return std::nullopt;
  if (*text == first || *text == second) return *text == first;
  return base::fail(ErrorCode::malformed, "query " + std::string(name),
                    "`" + std::string(name) + "` must be \"" + std::string(first) + "\" or \"" +
                        std::string(second) + "\".");
}

// nullopt: what is asked for is nobody's whom the caller may see.
base::Result<std::optional<rules::SessionQuery>> read_query(const rules::Caller& caller,
                                                            const Request& request) {
  auto query = visible_to(caller);
  const auto is_live = word_in_query(request, "state", "live", "ended");
  if (!is_live) return base::fail(is_live.error());
  const auto is_of_live = word_in_query(request, "environment", "live", "test");
  if (!is_of_live) return base::fail(is_of_live.error());
  const auto limit = number_in_query(request, "limit", 1, page_max);
  if (!limit) return base::fail(limit.error());
  query.count_max = static_cast<std::size_t>(limit->value_or(100));
  if (*is_live) query.state = **is_live ? rules::SessionState::live : rules::SessionState::ended;
  query.end_user_id = request.query("end_user_id").value_or("");
  query.avatar_id = request.query("avatar_id").value_or("");
  query.beyond = request.query("cursor").value_or("");
  const auto narrow = [](auto& wish, const auto& to) {
    const bool fits = wish == std::remove_cvref_t<decltype(wish)>{} || wish == to;
    wish = to;
    return fits;
  };
  if (const auto app_id = request.query("app_id"); app_id && !app_id->empty()) {
    if (!narrow(query.app_id, *app_id)) return std::nullopt;
  }
  if (*is_of_live) {
    const auto wanted = **is_of_live ? rules::Environment::live : rules::Environment::test;
    if (!narrow(query.environment, std::optional(wanted))) return std::nullopt;
  }
  if (const auto key = request.query("api_key_id"); key && !key->empty()) {
    query.api_key_id = rules::parse_api_key_id(*key);
    if (!query.api_key_id) return std::nullopt;
  }
  return query;
}

}  // namespace

void Sessions::add_to(http::Router& router, const front::Guard& guard) const {
  using Method = void (Sessions::*)(const rules::Caller&, const Request&, Response&) const;
  const auto add = [&](const char* path, Method method) {
    router.add({"GET", path,
                guard.slow(rules::Permission::sessions_read,
                           [this, method](const rules::Caller& caller, const Request& in,
                                          Response& out) { (this->*method)(caller, in, out); })});
  };
  add("/v1/sessions", &Sessions::list);
  add("/v1/sessions/{id}", &Sessions::get);
}

void Sessions::list(const rules::Caller& caller, const Request& request, Response& response) const {
  const auto query = read_query(caller, request);
  if (!query) return reply_problem(response, query.error());
  auto page = *query ? records_.list(**query) : rules::SessionPage{};
  if (!page) return reply_problem(response, page.error());
  base::JsonWriter writer(response.start(200, "application/json"));
  auto& out = writer.begin("data");
  out += '[';
  for (const auto& session : page->sessions) {
    if (&session != &page->sessions.front()) out += ',';
    write_session(out, session);
  }
  out += ']';
  writer.text_or_null("next", page->beyond).end();
  response.header("Cache-Control", "no-store");
}

void Sessions::get(const rules::Caller& caller, const Request& request, Response& response) const {
  const auto session = records_.find(visible_to(caller), std::string(request.path_part("id")));
  if (!session) return reply_problem(response, session.error());
  write_session(response.start(200, "application/json"), *session);
  response.header("Cache-Control", "no-store");
}

}  // namespace stagedoor::api
