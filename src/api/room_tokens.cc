#include "api/room_tokens.h"

#include <chrono>
#include <string>
#include <utility>

#include "api/body.h"
#include "api/key_json.h"
#include "api/problem.h"
#include "base/json.h"

namespace stagedoor::api {
namespace {

using rules::AgoraRole;
using rules::RoomGrant;

constexpr std::chrono::seconds default_lifetime = std::chrono::hours(1);
constexpr Members::Range lifetimes = {1, rules::room_token_lifetime_max.count()};

// A person says which app and environment it is for.
actions::MintRoomToken::Call call_of(const http::Request& request, Body& body) {
  return {.app_id = body.text_if("app_id", {1, 64}).value_or(""),
          .environment = read_environment(body),
          .peer = request.peer(),
          .request_id = request.id()};
}

std::chrono::seconds lifetime_in(Body& body) {
  return std::chrono::seconds(
      body.number_if("ttl_seconds", lifetimes).value_or(default_lifetime.count()));
}

rules::LiveKitRoomToken livekit_token_in(Body& body) {
  rules::LiveKitRoomToken token;
  token.room = body.text_if("room", {1, rules::room_name_bytes_max}).value_or("");
  token.identity = body.text("identity", {1, rules::room_identity_bytes_max});
  token.name = body.text_if("name", {0, rules::room_identity_bytes_max}).value_or("");
  token.metadata = body.text_if("metadata", {0, rules::room_metadata_bytes_max}).value_or("");
  const auto attributes = body.text_map_if("attributes", rules::room_attributes_max,
                                           {0, rules::room_attributes_bytes_max});
  if (attributes) token.attributes.assign(attributes->begin(), attributes->end());
  auto grants = body.object_if("grants");
  if (!grants) return token;
  for (std::size_t i = 0; i < rules::room_grant_count; ++i) {
    const auto grant = static_cast<RoomGrant>(i);
    if (grants->flag_if(rules::name_of(grant)).value_or(false)) token.grants.push_back(grant);
  }
  if (const auto sources = grants->texts_if("can_publish_sources", 4, {1, 32}))
    token.can_publish_sources.assign(sources->begin(), sources->end());
  return token;
}

// The uid or the account, of which exactly one must be said.
std::string agora_user_in(Body& body) {
  const auto uid = body.number_if("uid", {0, 0xffff'ffff});
  const auto account = body.text_if("account", {1, 255});
  if (uid.has_value() == account.has_value())
    body.refuse("uid", "or \"account\" must be given, and not both");
  if (account) return std::string(*account);
  return uid.value_or(0) == 0 ? "" : std::to_string(*uid);
}

void append_text(std::string& body, std::string_view name, std::string_view value) {
  body += ",\"";
  body += name;
  body += "\":";
  base::append_json_string(body, value);
}

// Begins the answer with what both services have in common.
std::string& begin(http::Response& response, const actions::MintRoomToken::Minted& minted) {
  response.header("Cache-Control", "no-store");
  auto& body = response.start(200, "application/json");
  // A token is base64 and dots, so it needs no escaping.
  body += "{\"token\":\"";
  body += minted.token.expose();
  body += "\",\"expires_at\":" + std::to_string(base::unix_seconds(minted.expires_at));
  append_text(body, "environment", rules::name_of(minted.environment));
  return body;
}

}  // namespace

void RoomTokens::add_to(http::Router& router, const front::Guard& guard) const {
  using Method =
      void (RoomTokens::*)(const rules::Caller&, const http::Request&, http::Response&) const;
  const auto add = [&](const char* path, Method method) {
    router.add(
        {"POST", path,
         guard.slow(rules::Permission::rooms_mint,
                    [this, method](const rules::Caller& caller, const http::Request& in,
                                   http::Response& out) { (this->*method)(caller, in, out); })});
  };
  add("/v1/room-tokens/livekit", &RoomTokens::livekit);
  add("/v1/room-tokens/agora", &RoomTokens::agora);
}

void RoomTokens::livekit(const rules::Caller& caller, const http::Request& request,
                         http::Response& response) const {
  Body body(request);
  const auto call = call_of(request, body);
  const auto lifetime = lifetime_in(body);
  auto wanted = livekit_token_in(body);
  if (const auto read = body.finish(); !read) return reply_problem(response, read.error());
  const auto room = wanted.room, identity = wanted.identity;
  const auto minted = mint_(caller, std::move(wanted), lifetime, call);
  if (!minted) return reply_problem(response, minted.error());
  auto& answer = begin(response, *minted);
  append_text(answer, "url", options_.livekit_url);
  append_text(answer, "room", room);
  append_text(answer, "identity", identity);
  answer += '}';
}

void RoomTokens::agora(const rules::Caller& caller, const http::Request& request,
                       http::Response& response) const {
  Body body(request);
  const auto call = call_of(request, body);
  rules::AgoraRoomToken wanted;
  wanted.lifetime = lifetime_in(body);
  wanted.channel = body.text("channel", {1, 63});
  wanted.user = agora_user_in(body);
  const auto role = body.word_if("role", {"subscriber", "publisher"});
  if (!role) body.refuse("role", "must be subscriber or publisher");
  if (const auto read = body.finish(); !read) return reply_problem(response, read.error());
  wanted.role = *role == 0 ? AgoraRole::subscriber : AgoraRole::publisher;
  const auto channel = wanted.channel, user = wanted.user;
  const auto minted = mint_(caller, std::move(wanted), call);
  if (!minted) return reply_problem(response, minted.error());
  auto& answer = begin(response, *minted);
  append_text(answer, "app_id", options_.agora_app_id);
  append_text(answer, "channel", channel);
  append_text(answer, "user", user);
  append_text(answer, "role", *role == 0 ? "subscriber" : "publisher");
  answer += '}';
}

}  // namespace stagedoor::api
