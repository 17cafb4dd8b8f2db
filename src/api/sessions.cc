#include "api/sessions.h"

#include <algorithm>
#include <string>

#include "api/problem.h"
#include "api/query.h"
#include "api/session_json.h"
#include "base/json_writer.h"
#include "rules/api_key.h"

namespace stagedoor::api {
namespace {

using base::ErrorCode;
using http::Request;
using http::Response;

constexpr std::int64_t limit_default = 100, limit_max = 1000;
constexpr std::int64_t per_page_default = 10, per_page_max = 100, page_max = 1'000'000;

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

// Which part of a list is asked for: pages by cursor, or by number.
struct Part {
  std::size_t size = limit_default;
  std::size_t page = 1;
  bool is_numbered = true;
};

base::Result<Part> read_part(const Request& request) {
  const bool has_own_words = request.query("limit") || request.query("cursor");
  const bool has_anams_words = request.query("page") || request.query("perPage");
  if (has_own_words && has_anams_words)
    return base::fail(ErrorCode::malformed, "two ways to page",
                      "Pages go by `limit` and `cursor`, or by `page` and `perPage`; not by both.");
  const auto limit = limit_in_query(request, limit_default, limit_max);
  if (!limit) return base::fail(limit.error());
  const auto page = number_in_query(request, "page", 1, page_max);
  if (!page) return base::fail(page.error());
  const auto per_page = number_in_query(request, "perPage", 1, per_page_max);
  if (!per_page) return base::fail(per_page.error());
  const auto size = has_anams_words ? per_page->value_or(per_page_default) : *limit;
  return Part{.size = static_cast<std::size_t>(size),
              .page = static_cast<std::size_t>(page->value_or(1)),
              .is_numbered = !has_own_words};
}

// A parameter in either of two spellings; empty where it is in none.
std::string either_in_query(const Request& request, std::string_view own, std::string_view anams) {
  auto value = request.query(own).value_or("");
  return value.empty() ? request.query(anams).value_or("") : value;
}

// nullopt: what is asked for is nobody's whom the caller may see.
base::Result<std::optional<rules::SessionQuery>> read_query(const rules::Caller& caller,
                                                            const Request& request) {
  auto query = rules::visible_sessions(caller);
  const auto is_live = word_in_query(request, "state", "live", "ended");
  if (!is_live) return base::fail(is_live.error());
  const auto is_of_live = word_in_query(request, "environment", "live", "test");
  if (!is_of_live) return base::fail(is_of_live.error());
  if (*is_live) query.state = **is_live ? rules::SessionState::live : rules::SessionState::ended;
  query.end_user_id = request.query("end_user_id").value_or("");
  query.avatar_id = request.query("avatar_id").value_or("");
  query.persona_id = request.query("personaId").value_or("");
  query.search = request.query("search").value_or("");
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
  if (const auto key = either_in_query(request, "api_key_id", "apiKeyId"); !key.empty()) {
    query.api_key_id = rules::parse_api_key_id(key);
    if (!query.api_key_id) return std::nullopt;
  }
  return query;
}

}  // namespace

void Sessions::add_to(http::Router& router, const front::Guard& guard) const {
  using Method = void (Sessions::*)(const rules::Caller&, const Request&, Response&) const;
  router.errors("/v1/sessions", [](Response& response, int status, std::string_view what) {
    reply_shared_problem(response, status, what);
  });
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
  const auto part = read_part(request);
  if (!part) return reply_shared_problem(response, part.error());
  auto query = read_query(caller, request);
  if (!query) return reply_shared_problem(response, query.error());
  base::Result<rules::SessionPage> page;
  if (*query) {
    auto& wanted = **query;
    wanted.count_max = part->size;
    page = part->is_numbered ? parts_.records.numbered(wanted, (part->page - 1) * part->size)
                             : parts_.records.list(wanted);
  }
  if (!page) return reply_shared_problem(response, page.error());
  base::JsonWriter writer(response.start(200, "application/json"));
  auto& out = writer.begin("data");
  out += '[';
  for (const auto& session : page->sessions) {
    if (&session != &page->sessions.front()) out += ',';
    write_session(out, session);
  }
  out += ']';
  writer.text_or_null("next", page->beyond);
  if (part->is_numbered)
    write_meta(writer, {.number = part->page, .size = part->size, .total = page->total});
  writer.end();
  response.header("Cache-Control", "no-store");
}

void Sessions::get(const rules::Caller& caller, const Request& request, Response& response) const {
  const auto session =
      parts_.records.find(rules::visible_sessions(caller), std::string(request.path_part("id")));
  if (!session) return reply_shared_problem(response, session.error());
  const auto report = parts_.reports.find(session->id);
  if (!report && report.error().code != ErrorCode::not_found)
    return reply_shared_problem(response, report.error());
  write_session(response.start(200, "application/json"), *session, report ? &*report : nullptr);
  response.header("Cache-Control", "no-store");
}

}  // namespace stagedoor::api
