#include "anam/personas.h"

#include <algorithm>
#include <string>
#include <utility>

#include "anam/error_reply.h"
#include "anam/persona_reply.h"
#include "base/json.h"
#include "base/json_writer.h"
#include "front/query.h"

namespace stagedoor::anam {
namespace {

using http::Request;
using http::Response;
using rules::Permission;

constexpr std::int64_t page_max = 1'000'000;
constexpr std::int64_t per_page_max = 100;

void refuse(Response& response, const rules::PersonaRefusal& why) {
  reply(response, why.error, why.faults);
}

// nullopt: it was refused.
std::optional<rules::Environment> environment_of(const rules::Caller& caller,
                                                 const Request& request, Response& response) {
  if (caller.kind() == rules::CallerKind::api_key) return caller.environment();
  const auto wanted = front::environment_in_query(request);
  if (wanted) return wanted->value_or(rules::Environment::live);
  refuse(response, rules::refusal_of({{"environment", "invalid_choice", "must be live or test"}}));
  return std::nullopt;
}

std::int64_t number_in_query(const Request& request, std::string_view name, std::int64_t otherwise,
                             std::int64_t most, rules::Faults& faults) {
  const auto number = front::number_in_query(request, name, 1, most);
  if (number) return number->value_or(otherwise);
  base::add_fault(faults, std::string(name), "out_of_range",
                  "must be a whole number from 1 to " + std::to_string(most));
  return otherwise;
}

struct Page {
  std::int64_t number, size, total;
};

void append_meta(base::JsonWriter& body, const Page& page) {
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
  meta.end();
}

// The body as JSON, valid until the next one is read on this thread.
base::Result<base::Json> body_of(const Request& request) {
  thread_local base::JsonReader reader;
  return reader.read(request.body());
}

}  // namespace

void Personas::add_to(http::Router& router, const front::Guard& guard) const {
  using Method = void (Personas::*)(const Caller&, const Request&, Response&) const;
  router.errors("/v1/personas", [](Response& response, int status, std::string_view what) {
    reply(response, status, what);
  });
  const auto add = [&](std::string method, std::string pattern, Permission needs, Method work) {
    router.add(
        {std::move(method), std::move(pattern),
         guard.slow(needs, [this, work](const Caller& caller, const Request& in, Response& out) {
           (this->*work)(caller, in, out);
         })});
  };
  add("GET", "/v1/personas", Permission::personas_read, &Personas::list);
  add("POST", "/v1/personas", Permission::personas_write, &Personas::create);
  add("GET", "/v1/personas/{id}", Permission::personas_read, &Personas::show);
  add("PUT", "/v1/personas/{id}", Permission::personas_write, &Personas::change);
  add("DELETE", "/v1/personas/{id}", Permission::personas_write, &Personas::remove);
}

void Personas::list(const Caller& caller, const Request& request, Response& response) const {
  const auto environment = environment_of(caller, request, response);
  if (!environment) return;
  rules::Faults faults;
  Page page{.number = number_in_query(request, "page", 1, page_max, faults),
            .size = number_in_query(request, "perPage", 10, per_page_max, faults),
            .total = 0};
  if (!faults.empty()) return refuse(response, rules::refusal_of(std::move(faults)));
  const auto found = parts_.personas.list({caller.workspace_id(), *environment},
                                          {.search = request.query("search").value_or(""),
                                           .skip = (page.number - 1) * page.size,
                                           .count = page.size});
  if (!found) return reply(response, found.error());
  page.total = found->total;
  base::JsonWriter body(response.start(200, "application/json"));
  auto& out = body.begin("data");
  char before = '[';
  if (found->personas.empty()) out += before;
  for (const auto& persona : found->personas) {
    out += std::exchange(before, ',');
    append_persona_summary(out, persona, parts_.catalog);
  }
  out += ']';
  append_meta(body, page);
  body.end();
  response.header("Cache-Control", "no-store");
}

void Personas::create(const Caller& caller, const Request& request, Response& response) const {
  const auto environment = environment_of(caller, request, response);
  if (!environment) return;
  const auto body = body_of(request);
  if (!body) return reply(response, body.error());
  const auto content = rules::PersonaContent::read(*body, rules::PersonaForm::kept, "");
  if (!content) return refuse(response, rules::refusal_of(content.error()));
  const auto made =
      parts_.keep.create({caller, *environment, request.peer(), request.id()}, *content);
  if (!made) return refuse(response, made.error());
  answer(response, 201, *made);
}

void Personas::show(const Caller& caller, const Request& request, Response& response) const {
  const auto environment = environment_of(caller, request, response);
  if (!environment) return;
  const auto persona =
      parts_.personas.find({caller.workspace_id(), *environment}, request.path_part("id"));
  if (!persona) return reply(response, persona.error());
  answer(response, 200, *persona);
}

void Personas::change(const Caller& caller, const Request& request, Response& response) const {
  const auto environment = environment_of(caller, request, response);
  if (!environment) return;
  const auto body = body_of(request);
  if (!body) return reply(response, body.error());
  const auto changed = parts_.keep.change({caller, *environment, request.peer(), request.id()},
                                          request.path_part("id"), *body);
  if (!changed) return refuse(response, changed.error());
  answer(response, 200, *changed);
}

void Personas::remove(const Caller& caller, const Request& request, Response& response) const {
  const auto environment = environment_of(caller, request, response);
  if (!environment) return;
  const auto removed = parts_.keep.remove({caller, *environment, request.peer(), request.id()},
                                          request.path_part("id"));
  if (!removed) return reply(response, removed.error());
  response.start(200, "application/json") = R"({"message":"Persona deleted"})";
  response.header("Cache-Control", "no-store");
}

void Personas::answer(Response& response, int status, const rules::Persona& persona) const {
  append_persona(response.start(status, "application/json"), persona, parts_.catalog);
  response.header("Cache-Control", "no-store");
}

}  // namespace stagedoor::anam
