#include "anam/lists.h"

#include <algorithm>
#include <utility>

#include "anam/error_reply.h"
#include "front/query.h"

namespace stagedoor::anam {
namespace {

constexpr std::int64_t page_max = 1'000'000;
constexpr std::int64_t per_page_max = 100;

std::int64_t number_in_query(const http::Request& request, std::string_view name,
                             std::int64_t otherwise, std::int64_t most, rules::Faults& faults) {
  const auto number = front::number_in_query(request, name, 1, most);
  if (number) return number->value_or(otherwise);
  base::add_fault(faults, std::string(name), "out_of_range",
                  "must be a whole number from 1 to " + std::to_string(most));
  return otherwise;
}

}  // namespace

std::optional<actions::KeepCall> call_of(const rules::Caller& caller, const http::Request& request,
                                         http::Response& response) {
  const auto in = [&](rules::Environment environment) {
    return actions::KeepCall{caller, environment, request.peer(), request.id()};
  };
  if (caller.kind() == rules::CallerKind::api_key) return in(caller.environment());
  const auto wanted = front::environment_in_query(request);
  if (wanted) return in(wanted->value_or(rules::Environment::live));
  refuse(response, {{"environment", "invalid_choice", "must be live or test"}});
  return std::nullopt;
}

base::Result<base::Json> body_of(const http::Request& request) {
  thread_local base::JsonReader reader;
  return reader.read(request.body());
}

void refuse(http::Response& response, const rules::PersonaRefusal& why) {
  reply(response, why.error, why.faults);
}

void refuse(http::Response& response, rules::Faults faults) {
  refuse(response, rules::refusal_of(std::move(faults)));
}

std::optional<Page> page_of(const http::Request& request, http::Response& response,
                            std::int64_t size_otherwise) {
  rules::Faults faults;
  const Page page{.number = number_in_query(request, "page", 1, page_max, faults),
                  .size = number_in_query(request, "perPage", size_otherwise, per_page_max, faults),
                  .total = 0};
  if (faults.empty()) return page;
  refuse(response, std::move(faults));
  return std::nullopt;
}

void append_meta(base::JsonWriter& body, const Page& page, std::string_view request_id) {
  const auto last = std::max<std::int64_t>((page.total + page.size - 1) / page.size, 1);
  base::JsonWriter meta(body.begin("meta"));
  meta.number("total", page.total).number("lastPage", last);
  meta.number("currentPage", page.number).number("perPage", page.size);
  const auto neighbour = [&](base::JsonName name, std::int64_t number) {
    if (number >= 1 && number <= last) {
      meta.number(name, number);
    } else {
      meta.json(name, "null");
    }
  };
  neighbour("prev", page.number - 1);
  neighbour("next", page.number + 1);
  if (!request_id.empty()) meta.text("requestId", "req_" + std::string(request_id));
  meta.end();
}

std::string& start_answer(http::Response& response, int status) {
  auto& body = response.start(status, "application/json");
  response.header("Cache-Control", "no-store");
  return body;
}

}  // namespace stagedoor::anam
