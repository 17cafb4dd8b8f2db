#include "avatarium/conversations.h"

#include <utility>

#include "avatarium/error_reply.h"
#include "avatarium/requests.h"
#include "base/iso_time.h"
#include "base/json_writer.h"
#include "front/query.h"

namespace stagedoor::avatarium {
namespace {

using base::ErrorCode;
using http::Request;
using http::Response;
using rules::Permission;

constexpr std::int64_t list_max = 100;

void refuse(const Request& request, Response& response, const BodyRefusal& why) {
  reply(request, response, why.error, why.faults);
}

void no_engine(const Request& request, Response& response, std::string_view what) {
  reply(request, response,
        {ErrorCode::unsupported, "no engine behind this door",
         "The call is right, but this server has nothing that " + std::string(what) + "."});
}

std::string address_of_socket(const std::string& public_url, const std::string& id) {
  const bool is_secure = public_url.starts_with("https://");
  const auto scheme_end = public_url.find("://");
  const auto rest = scheme_end == public_url.npos ? public_url : public_url.substr(scheme_end + 3);
  return (is_secure ? "wss://" : "ws://") + rest + "/v1/conversations/" + id + "/ws";
}

void append_head(base::JsonWriter& out, const rules::Conversation& conversation) {
  out.text("id", conversation.id).text("avatarId", conversation.avatar_id);
}

void append_times(base::JsonWriter& out, const rules::Conversation& conversation) {
  out.text("createdAt", base::iso_time(conversation.created_at));
  out.text_or_null("endedAt", conversation.ended_at ? base::iso_time(*conversation.ended_at) : "");
}

void finish(base::JsonWriter& body, const Request& request, Response& response) {
  append_meta(body, request);
  body.end();
  response.header("Cache-Control", "no-store");
}

}  // namespace

void Conversations::add_to(http::Router& router, const front::Guard& guard) const {
  using Method = void (Conversations::*)(const Caller&, const Request&, Response&) const;
  for (const auto* prefix : {"/v1/conversations", "/v1/tts"}) {
    router.errors(
        prefix, [](Response& out, int status, std::string_view what) { reply(out, status, what); });
  }
  const auto add = [&](std::string method, std::string pattern, Permission needs, Method work) {
    router.add(
        {std::move(method), std::move(pattern),
         guard.slow(needs, [this, work](const Caller& caller, const Request& in, Response& out) {
           (this->*work)(caller, in, out);
         })});
  };
  add("POST", "/v1/conversations", Permission::conversations_write, &Conversations::begin);
  add("GET", "/v1/conversations", Permission::conversations_read, &Conversations::list);
  add("GET", "/v1/conversations/{id}", Permission::conversations_read, &Conversations::show);
  add("DELETE", "/v1/conversations/{id}", Permission::conversations_write, &Conversations::forget);
  add("POST", "/v1/conversations/{id}/end", Permission::conversations_write, &Conversations::end);
  add("POST", "/v1/conversations/{id}/messages", Permission::conversations_write,
      &Conversations::say);
  add("POST", "/v1/tts", Permission::tts_speak, &Conversations::speak);
  add("POST", "/v1/tts/preview", Permission::tts_speak, &Conversations::preview);
}

std::optional<actions::ChosenApp> Conversations::chosen(const Caller& caller,
                                                        const Request& request,
                                                        Response& response) const {
  const auto environment = front::environment_in_query(request);
  if (!environment) {
    reply(request, response, environment.error());
    return std::nullopt;
  }
  auto app = actions::choose_app(parts_.catalog, caller, request.query("appId").value_or(""),
                                 *environment);
  if (app) return *app;
  reply(request, response, app.error());
  return std::nullopt;
}

void Conversations::begin(const Caller& caller, const Request& request, Response& response) const {
  const auto app = chosen(caller, request, response);
  if (!app) return;
  auto wanted = read_new_conversation(request.body());
  if (!wanted) return refuse(request, response, wanted.error());
  const auto made = parts_.hold.begin({caller, *app, request.peer(), request.id()},
                                      std::move(wanted->avatar_id), std::move(wanted->settings));
  if (!made) return reply(request, response, made.error());
  base::JsonWriter body(response.start(200, "application/json"));
  base::JsonWriter data(body.begin("data"));
  append_head(data, *made);
  data.text("wsUrl", address_of_socket(parts_.public_url, made->id));
  data.text("createdAt", base::iso_time(made->created_at));
  data.json("byokEnabled", "false");
  data.end();
  finish(body, request, response);
}

void Conversations::list(const Caller& caller, const Request& request, Response& response) const {
  const auto app = chosen(caller, request, response);
  if (!app) return;
  const auto count = front::limit_in_query(request, 20, list_max);
  if (!count) return reply(request, response, count.error());
  const auto found =
      parts_.conversations.list({.app_id = app->app->id, .environment = app->environment},
                                request.query("cursor").value_or(""), *count);
  if (!found) return reply(request, response, found.error());
  base::JsonWriter body(response.start(200, "application/json"));
  auto& out = body.begin("data");
  char before = '[';
  if (found->empty()) out += before;
  for (const auto& conversation : *found) {
    out += std::exchange(before, ',');
    base::JsonWriter data(out);
    append_head(data, conversation);
    append_times(data, conversation);
    data.end();
  }
  out += ']';
  const bool is_full = std::cmp_equal(found->size(), *count);
  body.text_or_null("next", is_full ? found->back().id : "");
  finish(body, request, response);
}

void Conversations::show(const Caller& caller, const Request& request, Response& response) const {
  const auto app = chosen(caller, request, response);
  if (!app) return;
  const auto whole = parts_.conversations.find(
      {.app_id = app->app->id, .environment = app->environment}, request.path_part("id"));
  if (!whole) return reply(request, response, whole.error());
  base::JsonWriter body(response.start(200, "application/json"));
  base::JsonWriter data(body.begin("data"));
  append_head(data, whole->conversation);
  auto& out = data.begin("messages");
  char before = '[';
  if (whole->messages.empty()) out += before;
  for (const auto& message : whole->messages) {
    out += std::exchange(before, ',');
    base::JsonWriter one(out);
    one.text("id", message.id).text("role", message.role).text("content", message.content);
    one.text("createdAt", base::iso_time(message.created_at));
    one.end();
  }
  out += ']';
  append_times(data, whole->conversation);
  data.end();
  finish(body, request, response);
}

void Conversations::end(const Caller& caller, const Request& request, Response& response) const {
  const auto app = chosen(caller, request, response);
  if (!app) return;
  const auto ended =
      parts_.hold.end({caller, *app, request.peer(), request.id()}, request.path_part("id"));
  if (!ended) return reply(request, response, ended.error());
  base::JsonWriter body(response.start(200, "application/json"));
  base::JsonWriter data(body.begin("data"));
  append_head(data, *ended);
  append_times(data, *ended);
  data.end();
  finish(body, request, response);
}

void Conversations::forget(const Caller& caller, const Request& request, Response& response) const {
  const auto app = chosen(caller, request, response);
  if (!app) return;
  const auto done =
      parts_.hold.forget({caller, *app, request.peer(), request.id()}, request.path_part("id"));
  if (!done) return reply(request, response, done.error());
  // The older documents print it bare; the newer ones would have it inside `data`.
  base::JsonWriter body(response.start(200, "application/json"));
  body.json("deleted", "true").json("data", "{\"deleted\":true}");
  finish(body, request, response);
}

void Conversations::say(const Caller& caller, const Request& request, Response& response) const {
  const auto app = chosen(caller, request, response);
  if (!app) return;
  const auto message = read_new_message(request.body());
  if (!message) return refuse(request, response, message.error());
  const auto whole = parts_.conversations.find(
      {.app_id = app->app->id, .environment = app->environment}, request.path_part("id"));
  if (!whole) return reply(request, response, whole.error());
  if (whole->conversation.ended_at) {
    return reply(request, response,
                 {ErrorCode::conflict, "conversation has ended", "The conversation has ended."});
  }
  no_engine(request, response, "replies");
}

void Conversations::speak(const Caller&, const Request& request, Response& response) const {
  const auto speech = read_speech(request.body(), Speech::wanted);
  if (!speech) return refuse(request, response, speech.error());
  no_engine(request, response, "speaks");
}

void Conversations::preview(const Caller&, const Request& request, Response& response) const {
  const auto speech = read_speech(request.body(), Speech::preview);
  if (!speech) return refuse(request, response, speech.error());
  no_engine(request, response, "speaks");
}

}  // namespace stagedoor::avatarium
