#include "avatarium/open_calls.h"

#include <utility>

#include "avatarium/error_reply.h"
#include "rules/built_in.h"

namespace stagedoor::avatarium {
namespace {

using http::Request;
using http::Response;

// Public data without credentials: any page may read it.
base::JsonWriter begin(Response& response, int status = 200) {
  return base::JsonWriter(response.start(status, "application/json"));
}

void end(base::JsonWriter& body, const Request& request, Response& response) {
  append_meta(body, request);
  body.end();
  response.header("Access-Control-Allow-Origin", "*");
}

std::string model_of(const std::string& public_url, std::string_view id) {
  return public_url + "/v1/avatars/" + std::string(id) + "/model";
}

void append_avatar(std::string& out, const rules::BuiltIn& avatar, const std::string& public_url) {
  base::JsonWriter(out)
      .text("id", avatar.id)
      .text("name", avatar.name)
      .text("modelUrl", model_of(public_url, avatar.id))
      .end();
}

const rules::BuiltIn* named(const Request& request, Response& response) {
  const auto* avatar = rules::built_in_avatar(request.path_part("id"));
  if (avatar == nullptr) {
    reply(
        request, response,
        {base::ErrorCode::not_found, "no such preset", "There is no preset avatar with this id."});
    response.header("Access-Control-Allow-Origin", "*");
  }
  return avatar;
}

}  // namespace

void OpenCalls::add_to(http::Router& router, const front::Guard& guard) const {
  using Method = void (OpenCalls::*)(const Request&, Response&) const;
  const auto bound = [this](Method method) {
    return [this, method](const Request& in, Response& out) { (this->*method)(in, out); };
  };
  for (const auto* path : {"/health", "/v1/health"}) {
    router.errors(
        path, [](Response& out, int status, std::string_view what) { reply(out, status, what); });
    router.add({"GET", path, http::Handler(bound(&OpenCalls::health))});
  }
  const auto add = [&](std::string path, Method method) {
    router.add(
        {"GET", std::move(path), guard.open_quick(rules::RateKind::stranger, bound(method))});
  };
  add("/v1/avatars/{id}/model", &OpenCalls::model);
  add("/v1/tts/voices", &OpenCalls::voices);
}

http::Handler OpenCalls::list_avatars(const front::Guard& guard) const {
  return guard.open_quick(rules::RateKind::stranger,
                          [this](const Request& in, Response& out) { avatars(in, out); });
}

http::Handler OpenCalls::show_avatar(const front::Guard& guard) const {
  return guard.open_quick(rules::RateKind::stranger,
                          [this](const Request& in, Response& out) { avatar(in, out); });
}

void OpenCalls::health(const Request& request, Response& response) const {
  const auto why = parts_.why_not_ready();
  auto body = begin(response, why.empty() ? 200 : 503);
  base::JsonWriter data(body.begin("data"));
  data.text("status", why.empty() ? "ok" : "unavailable");
  data.end();
  end(body, request, response);
}

void OpenCalls::avatars(const Request& request, Response& response) const {
  auto body = begin(response);
  auto& out = body.begin("data");
  char before = '[';
  for (const auto& avatar : rules::built_in_avatars()) {
    out += std::exchange(before, ',');
    append_avatar(out, avatar, parts_.public_url);
  }
  out += ']';
  end(body, request, response);
}

void OpenCalls::avatar(const Request& request, Response& response) const {
  const auto* avatar = named(request, response);
  if (avatar == nullptr) return;
  auto body = begin(response);
  append_avatar(body.begin("data"), *avatar, parts_.public_url);
  end(body, request, response);
}

void OpenCalls::model(const Request& request, Response& response) const {
  if (named(request, response) == nullptr) return;
  auto body = begin(response);
  base::JsonWriter data(body.begin("data"));
  data.text("url", parts_.public_url + "/door/face-sheet.json").text("format", "face-sheet");
  data.end();
  end(body, request, response);
}

// No voice can be heard through this door, so none is listed.
void OpenCalls::voices(const Request& request, Response& response) const {
  const auto provider = request.query("provider");
  if (provider && *provider != "google" && *provider != "elevenlabs" && *provider != "browser") {
    return reply(request, response,
                 {base::ErrorCode::malformed, "unknown provider",
                  "provider must be google, elevenlabs or browser."});
  }
  auto body = begin(response);
  body.json("data", "[]");
  end(body, request, response);
}

}  // namespace stagedoor::avatarium
