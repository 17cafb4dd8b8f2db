#include "anam/personas.h"

#include <string>
#include <utility>

#include "anam/error_reply.h"
#include "anam/lists.h"
#include "anam/persona_reply.h"
#include "anam/routes.h"

namespace stagedoor::anam {

using http::Request;
using http::Response;

void Personas::add_to(http::Router& router, const front::Guard& guard) const {
  Routes(*this, router, guard)
      .add_kept("/v1/personas", &Personas::list, &Personas::create, &Personas::show,
                &Personas::change, &Personas::remove);
}

void Personas::list(const Call& call, const Request& request, Response& response) const {
  auto page = page_of(request, response);
  if (!page) return;
  const auto found = parts_.personas.list(
      call.scope(),
      {.search = request.query("search").value_or(""), .skip = page->skip(), .count = page->size});
  if (!found) return reply(response, found.error());
  page->total = found->total;
  answer_page(response, *page, found->personas, [&](std::string& out, const auto& persona) {
    append_persona_summary(out, persona, parts_.references, call.scope());
  });
}

void Personas::create(const Call& call, const Request& request, Response& response) const {
  const auto body = body_of(request);
  if (!body) return reply(response, body.error());
  const auto content = rules::PersonaContent::read(*body, rules::PersonaForm::kept, "");
  if (!content) return refuse(response, rules::refusal_of(content.error()));
  const auto made = parts_.keep.create(call, *content);
  if (!made) return refuse(response, made.error());
  answer(call, response, 201, *made);
}

void Personas::show(const Call& call, const Request& request, Response& response) const {
  const auto persona = parts_.personas.find(call.scope(), request.path_part("id"));
  if (!persona) return reply(response, persona.error());
  answer(call, response, 200, *persona);
}

void Personas::change(const Call& call, const Request& request, Response& response) const {
  const auto body = body_of(request);
  if (!body) return reply(response, body.error());
  const auto changed = parts_.keep.change(call, request.path_part("id"), *body);
  if (!changed) return refuse(response, changed.error());
  answer(call, response, 200, *changed);
}

void Personas::remove(const Call& call, const Request& request, Response& response) const {
  const auto removed = parts_.keep.remove(call, request.path_part("id"));
  if (!removed) return reply(response, removed.error());
  start_answer(response, 200) = R"({"message":"Persona deleted"})";
}

void Personas::answer(const Call& call, Response& response, int status,
                      const rules::Persona& persona) const {
  append_persona(start_answer(response, status), persona, parts_.references,
                 {.scope = call.scope(), .share_tokens = share_tokens_for(call.caller)});
}

}  // namespace stagedoor::anam
