#include "anam/personas.h"

#include <string>
#include <utility>

#include "anam/error_reply.h"
#include "anam/lists.h"
#include "anam/persona_reply.h"

namespace stagedoor::anam {
namespace {

using http::Request;
using http::Response;
using rules::Permission;

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
  auto page = page_of(request, response);
  if (!page) return;
  const auto found = parts_.personas.list(
      {caller.workspace_id(), *environment},
      {.search = request.query("search").value_or(""), .skip = page->skip(), .count = page->size});
  if (!found) return reply(response, found.error());
  page->total = found->total;
  base::JsonWriter body(start_answer(response, 200));
  auto& out = body.begin("data");
  char before = '[';
  if (found->personas.empty()) out += before;
  for (const auto& persona : found->personas) {
    out += std::exchange(before, ',');
    append_persona_summary(out, persona, parts_.references);
  }
  out += ']';
  append_meta(body, *page);
  body.end();
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
  start_answer(response, 200) = R"({"message":"Persona deleted"})";
}

void Personas::answer(Response& response, int status, const rules::Persona& persona) const {
  append_persona(start_answer(response, status), persona, parts_.references);
}

}  // namespace stagedoor::anam
