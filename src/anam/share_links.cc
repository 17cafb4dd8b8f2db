#include "anam/share_links.h"

#include <string>
#include <utility>

#include "anam/error_reply.h"
#include "anam/item_replies.h"
#include "anam/json_members.h"
#include "anam/lists.h"
#include "anam/routes.h"
#include "base/iso_time.h"
#include "front/origin.h"

namespace stagedoor::anam {
namespace {

using http::Request;
using http::Response;

constexpr std::int64_t links_of_page_otherwise = 20;
constexpr std::string_view open_action = "POST /v1/auth/share-link";

}  // namespace

void ShareLinks::add_to(http::Router& router, const front::Guard& guard) const {
  const Routes routes(*this, router, guard);
  routes.add_kept("/v1/share-links", &ShareLinks::list, &ShareLinks::create, &ShareLinks::show,
                  &ShareLinks::change, &ShareLinks::remove);
  const std::string path(open_link_path);
  routes.below(path);
  router.add({"POST", path,
              guard.open_slow(rules::RateKind::stranger,
                              [this](const Request& in, Response& out) { open(in, out); })});
  router.add({"OPTIONS", path, http::Handler(&preflight)});
}

void ShareLinks::list(const Call& call, const Request& request, Response& response) const {
  auto page = page_of(request, response, links_of_page_otherwise);
  if (!page) return;
  const auto found =
      parts_.links.list(call.scope(), {.search = request.query("search").value_or(""),
                                       .persona_id = request.query("personaId").value_or(""),
                                       .skip = page->skip(),
                                       .count = page->size});
  if (!found) return reply(response, found.error());
  page->total = found->total;
  answer_page(response, *page, found->links, [&](std::string& out, const auto& link) {
    append_share_link(out, link, share_tokens_for(call.caller));
  });
}

void ShareLinks::create(const Call& call, const Request& request, Response& response) const {
  const auto app_id = request.query("appId").value_or("");
  if (call.caller.kind() == rules::CallerKind::person && app_id.empty())
    return refuse(response, {{"appId", "missing", "A person says which app: ?appId=."}});
  const auto body = body_of(request);
  if (!body) return reply(response, body.error());
  const auto made = parts_.keep.create(call, app_id, *body);
  if (!made) return refuse(response, made.error());
  append_share_link(start_answer(response, 201), *made, ShareTokens::shown);
}

void ShareLinks::show(const Call& call, const Request& request, Response& response) const {
  const auto link = parts_.links.find(call.scope(), request.path_part("id"));
  if (!link) return reply(response, link.error());
  append_share_link(start_answer(response, 200), *link, share_tokens_for(call.caller));
}

void ShareLinks::change(const Call& call, const Request& request, Response& response) const {
  const auto body = body_of(request);
  if (!body) return reply(response, body.error());
  const auto changed = parts_.keep.change(call, request.path_part("id"), *body);
  if (!changed) return refuse(response, changed.error());
  append_share_link(start_answer(response, 200), *changed, ShareTokens::shown);
}

void ShareLinks::remove(const Call& call, const Request& request, Response& response) const {
  const auto removed = parts_.keep.remove(call, request.path_part("id"));
  if (!removed) return reply(response, removed.error());
  start_answer(response, 200) = R"({"message":"Share link deleted"})";
}

void ShareLinks::open(const Request& request, Response& response) const {
  const auto body = body_of(request);
  if (!body) return reply(response, body.error());
  static const auto shape = base::JsonShape::object(
      {{"shareToken", base::JsonShape::text({.characters_min = 1}), base::Presence::required}});
  rules::Faults faults;
  shape.read(*body, "", faults);
  if (!faults.empty()) return refuse(response, std::move(faults));
  const auto opened = parts_.open({.token = base::Secret(text_of(*body, "shareToken")),
                                   .origin = front::origin_of(request),
                                   .peer = request.peer(),
                                   .request_id = request.id(),
                                   .action = open_action});
  if (!opened) return reply(response, opened.error());
  const auto& applied = opened->minted.applied;
  base::JsonWriter answer(start_answer(response, 200));
  answer.text("sessionToken", opened->minted.token.expose());
  answer.text("expiresAt", base::iso_time(applied.expires_at));
  answer.number("maxSessionLengthSeconds", applied.leash.length_max.count());
  answer.text("personaName", opened->persona_name);
  answer.end();
  allow_any_origin(response);
}

}  // namespace stagedoor::anam
