#include "anam/avatars.h"

#include <algorithm>
#include <utility>

#include "anam/avatar_reply.h"
#include "anam/error_reply.h"
#include "anam/json_members.h"
#include "anam/lists.h"
#include "base/json_shape.h"
#include "rules/built_in.h"
#include "stage/characters.h"

namespace stagedoor::anam {
namespace {

using base::ErrorCode;
using base::JsonShape;
using http::Request;
using http::Response;
using rules::Permission;

constexpr std::size_t tags_max = 32;

bool is_character(std::string_view text) {
  return std::ranges::any_of(stage::characters(),
                             [&](const stage::Character& one) { return one.id == text; });
}

JsonShape::Member display_name() {
  return {"displayName",
          JsonShape::text({.characters_min = rules::avatar_name_characters_min,
                           .characters_max = rules::avatar_name_characters_max}),
          base::Presence::required};
}

const JsonShape& new_avatar_shape() {
  static const auto shape = JsonShape::object({
      {"avatarModel", JsonShape::choice({"cara-3", "cara-4", "cara-4-latest"})},
      {"character", JsonShape::text({.characters_max = 64,
                                     .is_good = &is_character,
                                     .must_be = "one of the characters that are drawn here, such "
                                                "as ada"})},
      display_name(),
      {"imageUrl", JsonShape::text({.characters_max = 2048})},
  });
  return shape;
}

const JsonShape& renamed_avatar_shape() {
  static const auto shape = JsonShape::object({display_name()}, JsonShape::Others::refused);
  return shape;
}

base::Error no_photographs() {
  return {ErrorCode::unsupported, "an avatar from a photograph",
          "This server draws its avatars and makes none from a photograph: leave imageUrl and "
          "imageFile out, and name the drawn character that the avatar shall have (character)."};
}

bool is_form(const Request& request) {
  return request.header("Content-Type").value_or("").starts_with("multipart/");
}

std::vector<std::string> parts_of(std::string_view list) {
  std::vector<std::string> parts;
  while (!list.empty() && parts.size() < tags_max) {
    const auto end = std::min(list.find(','), list.size());
    if (end > 0) parts.emplace_back(list.substr(0, end));
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return parts;
}

// nullopt: the call was refused.
std::optional<rules::AvatarQuery> query_of(const Request& request, Response& response) {
  rules::AvatarQuery query{.search = request.query("search").value_or(""),
                           .tags = parts_of(request.query("tags").value_or(""))};
  rules::Faults faults;
  const auto style = request.query("renderStyle").value_or("all");
  constexpr std::string_view styles[] = {"all", "realistic", "animated_3d", "illustrated",
                                         "unknown"};
  if (std::ranges::find(styles, style) == std::end(styles))
    base::add_fault(faults, "renderStyle", "invalid_choice",
                    "must be all, realistic, animated_3d, illustrated or unknown");
  const auto one_shot = request.query("onlyOneShot").value_or("false");
  if (one_shot != "true" && one_shot != "false")
    base::add_fault(faults, "onlyOneShot", "invalid_choice", "must be true or false");
  if (!faults.empty()) {
    refuse(response, std::move(faults));
    return std::nullopt;
  }
  query.wants_drawn = (style == "all" || style == "illustrated") && one_shot == "false";
  return query;
}

}  // namespace

void Avatars::add_to(http::Router& router, const front::Guard& guard) const {
  using Method = void (Avatars::*)(const Caller&, const Request&, Response&) const;
  for (const auto* path : {"/v1/avatars", "/v1/characters"})
    router.errors(path, [](Response& response, int status, std::string_view what) {
      reply(response, status, what);
    });
  const auto add = [&](std::string method, std::string pattern, Method work) {
    router.add({std::move(method), std::move(pattern),
                guard.slow(Permission::personas_write,
                           [this, work](const Caller& caller, const Request& in, Response& out) {
                             (this->*work)(caller, in, out);
                           })});
  };
  add("POST", "/v1/avatars", &Avatars::create);
  add("PUT", "/v1/avatars/{id}", &Avatars::rename);
  add("DELETE", "/v1/avatars/{id}", &Avatars::remove);
  router.add({"GET", "/v1/characters/{id}/picture.png",
              guard.open_slow(rules::RateKind::stranger, [this](const Request& in, Response& out) {
                show_picture(in, out);
              })});
}

http::WaitingHandler Avatars::list_for_keys(const front::Guard& guard) const {
  return guard.slow_for_keys(
      Permission::personas_read,
      [this](const Caller& caller, const Request& in, Response& out) { list(caller, in, out); });
}

http::WaitingHandler Avatars::show_for_keys(const front::Guard& guard) const {
  return guard.slow_for_keys(
      Permission::personas_read,
      [this](const Caller& caller, const Request& in, Response& out) { show(caller, in, out); });
}

// `name`, `modelUrl` and the request's id are what the other vendor's clients read.
void Avatars::append(std::string& out, const rules::Avatar& avatar,
                     std::string_view request_id) const {
  base::JsonWriter body(out);
  append_avatar_members(body, avatar, parts_.public_url);
  const auto model = parts_.public_url + "/v1/avatars/" + avatar.id + "/model";
  body.text("name", avatar.name).text("modelUrl", model);
  if (!request_id.empty()) {
    base::JsonWriter data(body.begin("data"));
    data.text("id", avatar.id).text("name", avatar.name).text("modelUrl", model);
    data.end();
    base::JsonWriter meta(body.begin("meta"));
    meta.text("requestId", "req_" + std::string(request_id)).end();
  }
  body.end();
}

void Avatars::list(const Caller& caller, const Request& request, Response& response) const {
  const auto query = query_of(request, response);
  if (!query) return;
  auto page = page_of(request, response);
  if (!page) return;
  auto own = parts_.avatars.of(rules::scope_in_both_environments(caller));
  if (!own) return reply(response, own.error());
  const auto meant = rules::avatars_meant(*std::move(own), *query);
  page->total = static_cast<std::int64_t>(meant.size());
  base::JsonWriter body(start_answer(response, 200));
  auto& out = body.begin("data");
  out += '[';
  const auto end = std::min(page->skip() + page->size, page->total);
  for (auto at = page->skip(); at < end; ++at) {
    if (at > page->skip()) out += ',';
    append(out, meant[static_cast<std::size_t>(at)], "");
  }
  out += ']';
  append_meta(body, *page, request.id());
  body.end();
}

void Avatars::show(const Caller& caller, const Request& request, Response& response) const {
  const auto avatar = rules::avatar_in(rules::scope_in_both_environments(caller), parts_.catalog,
                                       request.path_part("id"));
  if (!avatar)
    return reply(response,
                 {ErrorCode::not_found, "no such avatar", "There is no avatar with this id."});
  answer(request, response, 200, *avatar);
}

void Avatars::create(const Caller& caller, const Request& request, Response& response) const {
  if (is_form(request)) return reply(response, no_photographs());
  const auto body = body_of(request);
  if (!body) return reply(response, body.error());
  rules::Faults faults;
  new_avatar_shape().read(*body, "", faults);
  if (!faults.empty()) return refuse(response, std::move(faults));
  if (!text_of(*body, "imageUrl").empty()) return reply(response, no_photographs());
  auto character = text_of(*body, "character");
  if (character.empty()) character = rules::first_character;
  const auto made = parts_.keep.create({caller, request.peer(), request.id()},
                                       text_of(*body, "displayName"), std::move(character));
  if (!made) return reply(response, made.error());
  answer(request, response, 201, *made);
}

void Avatars::rename(const Caller& caller, const Request& request, Response& response) const {
  const auto body = body_of(request);
  if (!body) return reply(response, body.error());
  rules::Faults faults;
  renamed_avatar_shape().read(*body, "", faults);
  if (!faults.empty()) return refuse(response, std::move(faults));
  const auto renamed = parts_.keep.rename({caller, request.peer(), request.id()},
                                          request.path_part("id"), text_of(*body, "displayName"));
  if (!renamed) return reply(response, renamed.error());
  answer(request, response, 200, *renamed);
}

void Avatars::remove(const Caller& caller, const Request& request, Response& response) const {
  using Removal = rules::AvatarRecords::Removal;
  const auto hard = request.query("hard").value_or("false");
  if (hard != "true" && hard != "false")
    return refuse(response, {{"hard", "invalid_choice", "must be true or false"}});
  const auto removed =
      parts_.keep.remove({caller, request.peer(), request.id()}, request.path_part("id"),
                         hard == "true" ? Removal::for_good : Removal::soft);
  if (!removed) return reply(response, removed.error());
  start_answer(response, 200) = R"({"message":"Avatar deleted"})";
}

void Avatars::show_picture(const Request& request, Response& response) const {
  const auto picture = parts_.picture(request.path_part("id"));
  if (!picture) return reply(response, picture.error());
  response.start(200, "image/png") = *picture;
  response.header("Cache-Control", "public, max-age=86400");
  response.header("Access-Control-Allow-Origin", "*");
}

void Avatars::answer(const Request& request, Response& response, int status,
                     const rules::Avatar& avatar) const {
  append(start_answer(response, status), avatar, request.id());
}

}  // namespace stagedoor::anam
