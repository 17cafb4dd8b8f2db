#include "api/audit.h"

#include <charconv>
#include <optional>
#include <string>
#include <utility>

#include "actions/actor.h"
#include "api/problem.h"
#include "api/query.h"
#include "base/json.h"

namespace stagedoor::api {
namespace {

using base::ErrorCode;
using http::Request;
using http::Response;
using rules::AuditQuery;

constexpr std::int64_t entries_in_page_max = 1000;

// One of two words for one of two values.
template <class T>
base::Result<std::optional<T>> word_in_query(const Request& request, std::string_view name,
                                             std::pair<std::string_view, T> one,
                                             std::pair<std::string_view, T> other) {
  const auto text = request.query(name);
  if (!text) return std::nullopt;
  if (*text == one.first) return one.second;
  if (*text == other.first) return other.second;
  return base::fail(ErrorCode::malformed, "query " + std::string(name),
                    "`" + std::string(name) + "` must be \"" + std::string(one.first) + "\" or \"" +
                        std::string(other.first) + "\".");
}

bool wants_lines(const Request& request) {
  const auto accept = request.header("Accept");
  return accept && accept->find("application/x-ndjson") != accept->npos;
}

// "BEYOND", or of the oldest first "BEYOND-LAST".
std::string cursor_of(const rules::AuditPage& page) {
  auto text = std::to_string(page.beyond);
  if (page.last != 0) text.append("-").append(std::to_string(page.last));
  return text;
}

std::optional<std::int64_t> number_in(std::string_view text) {
  std::int64_t number = 0;
  const auto* const end = text.data() + text.size();
  const auto [stop, trouble] = std::from_chars(text.data(), end, number);
  if (trouble != std::errc() || stop != end) return std::nullopt;
  return number;
}

base::Result<base::Done> read_cursor(const Request& request, AuditQuery& query) {
  const auto text = request.query("cursor");
  if (!text) return base::Done{};
  const auto middle = text->find('-');
  const auto beyond = number_in(std::string_view(*text).substr(0, middle));
  const auto last =
      middle == text->npos ? 0 : number_in(std::string_view(*text).substr(middle + 1));
  if (!beyond || *beyond < 1 || !last || *last < 0)
    return base::fail(ErrorCode::malformed, "query cursor",
                      "`cursor` must be what `next` of an earlier page said.");
  query.beyond = *beyond;
  query.last = *last;
  return base::Done{};
}

void write_page(const rules::AuditPage& page, Response& response) {
  auto& body = response.start(200, "application/json");
  body += "{\"data\":[";
  for (const auto& kept : page.entries) {
    if (&kept != &page.entries.front()) body += ',';
    rules::append_json(body, kept);
  }
  body += "],\"next\":";
  body += page.beyond == 0 ? "null" : "\"" + cursor_of(page) + "\"";
  body += '}';
}

void write_lines(const rules::AuditPage& page, Response& response) {
  auto& body = response.start(200, "application/x-ndjson");
  for (const auto& kept : page.entries) {
    rules::append_json(body, kept);
    body += '\n';
  }
  if (page.beyond != 0) response.header("Stagedoor-Next", cursor_of(page));
}

}  // namespace

base::Result<AuditQuery> audit_query_of(const Request& request) {
  using rules::AuditOrder;
  using rules::AuditOutcome;
  const auto since = time_in_query(request, "since");
  const auto until = time_in_query(request, "until");
  const auto outcome = word_in_query<AuditOutcome>(request, "outcome", {"done", AuditOutcome::done},
                                                   {"refused", AuditOutcome::refused});
  const auto order = word_in_query<AuditOrder>(
      request, "order", {"newest", AuditOrder::newest_first}, {"oldest", AuditOrder::oldest_first});
  const auto limit = limit_in_query(request, 100, entries_in_page_max);
  if (!since) return base::fail(since.error());
  if (!until) return base::fail(until.error());
  if (!outcome) return base::fail(outcome.error());
  if (!order) return base::fail(order.error());
  if (!limit) return base::fail(limit.error());
  AuditQuery query;
  query.since = *since;
  query.until = *until;
  query.outcome = *outcome;
  query.actor = request.query("actor");
  query.action = request.query("action");
  query.subject = request.query("subject");
  query.order = order->value_or(AuditOrder::newest_first);
  query.count_max = static_cast<std::size_t>(*limit);
  if (const auto read = read_cursor(request, query); !read) return base::fail(read.error());
  return query;
}

void Audit::add_to(http::Router& router, const front::Guard& guard) const {
  router.add({"GET", "/v1/audit",
              guard.slow(rules::Permission::audit_read,
                         [this](const rules::Caller& caller, const Request& in, Response& out) {
                           read(caller, in, out);
                         })});
}

void Audit::read(const rules::Caller& caller, const Request& request, Response& response) const {
  auto query = audit_query_of(request);
  if (!query) return reply_problem(response, query.error());
  query->workspace_id = caller.workspace_id();
  if (caller.kind() == rules::CallerKind::api_key)
    query->of_app = {.app_id = caller.app().id, .environment = caller.environment()};
  const auto page = parts_.trail.read(*query);
  if (!page) return reply_problem(response, page.error());
  // Each page: a cursor tells nothing of whether a first page was ever read. After the reading, so
  // that the last page is the last.
  if (const auto recorded = record(caller, request); !recorded)
    return reply_problem(response, recorded.error());
  wants_lines(request) ? write_lines(*page, response) : write_page(*page, response);
  response.header("Cache-Control", "no-store");
}

base::Result<base::Done> Audit::record(const rules::Caller& caller, const Request& request) const {
  const auto& workspace_id = caller.workspace_id();
  return parts_.log.record(actions::Actor(caller, request.peer(), request.id())
                               .entry(parts_.clock.now(), workspace_id,
                                      rules::AuditAction::audit_read, workspace_id,
                                      request.target_for_log()));
}

}  // namespace stagedoor::api
