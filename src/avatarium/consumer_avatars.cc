#include "avatarium/consumer_avatars.h"

#include <utility>

#include "actions/actor.h"
#include "avatarium/error_reply.h"
#include "avatarium/requests.h"
#include "base/iso_time.h"
#include "base/json.h"
#include "base/json_shape.h"
#include "base/json_writer.h"

namespace stagedoor::avatarium {

using http::Request;
using http::Response;

void ConsumerAvatars::add_to(http::Router& router, const front::Guard& guard) const {
  const std::string path = "/v1/consumer-avatars";
  router.errors(path,
                [](Response& out, int status, std::string_view what) { reply(out, status, what); });
  router.add({"GET", path,
              guard.slow_for_people([this](const rules::Caller& caller, const Request& in,
                                           Response& out) { list(caller, in, out); })});
  router.add({"POST", path,
              guard.slow_for_people([this](const rules::Caller& caller, const Request& in,
                                           Response& out) { create(caller, in, out); })});
}

void ConsumerAvatars::append(std::string& out, const rules::ConsumerAvatar& avatar) const {
  base::JsonReader reader;
  const auto content = reader.read(avatar.content);
  const auto member = [&](std::string_view name, std::string_view otherwise) {
    const auto found = content ? content->member(name) : std::nullopt;
    if (!found) return std::string(otherwise);
    std::string text;
    base::append_canonical(text, *found);
    return text;
  };
  base::JsonWriter data(out);
  data.text("id", avatar.id).text("shortId", avatar.short_id).text("slug", avatar.slug);
  data.json("name", member("name", "\"\"")).json("tagline", member("tagline", "null"));
  data.json("avatarPreset", member("avatarPreset", "null")).text("avatarType", "interactive");
  data.json("isPublic", avatar.is_public ? "true" : "false").text("status", "active");
  data.number("viewCount", 0).number("conversationCount", 0);
  data.json("voiceChatEnabled", member("voiceChatEnabled", "false"));
  data.text("url", parts_.public_url + "/a/" + avatar.short_id);
  data.text("createdAt", base::iso_time(avatar.created_at));
  data.end();
}

void ConsumerAvatars::list(const rules::Caller& caller, const Request& request,
                           Response& response) const {
  const auto found = parts_.avatars.of(rules::owner_of(caller.identity()));
  if (!found) return reply(request, response, found.error());
  base::JsonWriter body(response.start(200, "application/json"));
  auto& out = body.begin("data");
  char before = '[';
  if (found->empty()) out += before;
  for (const auto& avatar : *found) {
    out += std::exchange(before, ',');
    append(out, avatar);
  }
  out += ']';
  body.json("hasAccount", caller.workspace_id().empty() ? "false" : "true");
  append_meta(body, request);
  body.end();
  response.header("Cache-Control", "no-store");
}

void ConsumerAvatars::create(const rules::Caller& caller, const Request& request,
                             Response& response) const {
  auto wanted = read_new_avatar(request.body());
  if (!wanted) return reply(request, response, wanted.error().error, wanted.error().faults);
  const rules::ConsumerAvatar avatar{
      .id = base::random_uuid(parts_.random),
      .short_id = base::random_base62(parts_.random, rules::short_id_length),
      .owner = rules::owner_of(caller.identity()),
      .slug = wanted->slug,
      .content = wanted->content,
      .is_public = wanted->is_public,
      .created_at = parts_.clock.now()};
  const auto entry = actions::Actor(caller, request.peer(), request.id())
                         .entry(avatar.created_at, caller.workspace_id(),
                                rules::AuditAction::consumer_avatar_create, avatar.id);
  if (auto made = parts_.avatars.create(avatar, entry); !made)
    return reply(request, response, made.error());
  base::JsonWriter body(response.start(200, "application/json"));
  append(body.begin("data"), avatar);
  append_meta(body, request);
  body.end();
  response.header("Cache-Control", "no-store");
}

}  // namespace stagedoor::avatarium
