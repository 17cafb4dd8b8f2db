#include "api/page.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "api/page_files.h"
#include "api/problem.h"
#include "base/json.h"
#include "front/limit_headers.h"
#include "stage/characters.h"

namespace stagedoor::api {
namespace {

constexpr std::chrono::minutes token_lifetime{2};
constexpr std::chrono::minutes session_length_max{15};
constexpr std::chrono::minutes session_idle_max{5};
constexpr int sessions_max = 64;
constexpr std::size_t sample_bytes_max = 4u << 20;

std::string_view without_port(std::string_view host) {
  if (host.starts_with('[')) return host.substr(0, host.find(']') + 1);
  return host.substr(0, host.find(':'));
}

bool is_this_machine(std::string_view host) {
  const auto name = without_port(host);
  return name == "localhost" || name == "127.0.0.1" || name == "[::1]";
}

bool is_loopback(std::string_view peer) {
  return peer.starts_with("127.") || peer == "::1";
}

// What proxies and their clouds add; no browser sends any of them.
constexpr std::array<std::string_view, 20> proxy_fields = {
    "Forwarded",           "Via",
    "X-Forwarded-For",     "X-Forwarded-Host",
    "X-Forwarded-Proto",   "X-Forwarded-Port",
    "X-Forwarded-Server",  "X-Forwarded-Prefix",
    "X-Forwarded-By",      "X-Forwarded",
    "X-Original-Host",     "X-Original-URI",
    "X-Real-IP",           "X-Client-IP",
    "X-Cluster-Client-IP", "True-Client-IP",
    "CF-Connecting-IP",    "CF-Ray",
    "Fastly-Client-IP",    "X-Envoy-External-Address"};

std::string read_sample(const std::string& path) {
  std::error_code trouble;
  const auto bytes = std::filesystem::file_size(path, trouble);
  if (trouble || bytes > sample_bytes_max) return {};
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

// /door/faces/NAME.json for each character, and the first of them as /door/face-sheet.json.
void add_characters(http::Router& router) {
  const auto add = [&router](const stage::Character& character, std::string path) {
    const PageFile file{"", "application/json", character.etag, character.sheet};
    router.add({"GET", path,
                http::Handler([file, path](const http::Request& request, http::Response& response) {
                  auto named = file;
                  named.path = path;
                  deliver(named, request, response);
                })});
  };
  for (const auto& character : stage::characters())
    add(character, "/door/faces/" + std::string(character.id) + ".json");
  add(stage::characters().front(), "/door/face-sheet.json");
}

}  // namespace

Page::Page(Parts parts, Options options)
    : parts_(std::move(parts)),
      options_(std::move(options)),
      sample_(read_sample(options_.sample_file)) {}

void Page::add_to(http::Router& router) const {
  if (options_.open_to == OpenTo::nobody) return;
  for (const auto& file : page_files()) {
    const auto handler = [&file](const http::Request& request, http::Response& response) {
      deliver(file, request, response);
    };
    router.add({"GET", std::string(file.path), http::Handler(handler)});
  }
  add_characters(router);
  router.add({"POST", "/door/session",
              http::Handler([this](const http::Request& request, http::Response& response) {
                session(request, response);
              })});
  router.add({"GET", "/door/sample.wav",
              http::Handler([this](const http::Request& request, http::Response& response) {
                sample(request, response);
              })});
}

bool Page::is_local(const http::Request& request) const {
  // The Host too: a foreign name that was made to point here (DNS rebinding) has its own name in
  // it.
  return is_loopback(request.peer()) && is_this_machine(request.header("Host").value_or("")) &&
         std::ranges::none_of(proxy_fields,
                              [&](auto name) { return request.header(name).has_value(); });
}

std::optional<std::string> Page::why_not(const http::Request& request) const {
  const auto host = request.header("Host").value_or("");
  const auto origin = request.header("Origin");
  // A browser always says where a POST comes from; another page's script must not use our backend.
  if (!origin ||
      (*origin != "http://" + std::string(host) && *origin != "https://" + std::string(host)))
    return "Only the page at / of this server may ask for a session here.";
  if (options_.open_to == OpenTo::everyone) return std::nullopt;
  if (is_local(request)) return std::nullopt;
  return "The page opens sessions only on the server's own machine; see page.open_to.";
}

void Page::session(const http::Request& request, http::Response& response) const {
  if (const auto reason = why_not(request)) return reply_problem(response, 403, *reason);
  if (options_.api_key.is_empty())
    return reply_problem(response, 503, "The page has no API key; see page.api_key_file.");
  const actions::AdmitCall::Request call{.credential = options_.api_key.expose(),
                                         .client = request.client(),
                                         .peer = request.peer(),
                                         .request_id = request.id(),
                                         .action = "POST /door/session",
                                         .needs = rules::Permission::tokens_mint};
  const auto outcome = parts_.admit.at_once(call);
  if (!outcome) return reply_problem(response, 503, "The page's API key is none.");
  front::tell_limit(response, outcome->limit);
  const auto& caller = outcome->caller;
  if (!caller && caller.error().code == base::ErrorCode::rate_limited)
    return reply_problem(response, caller.error());
  if (!caller)
    return reply_problem(response, 503,
                         "The page's API key is not accepted, or may not mint session tokens.");
  actions::MintSessionToken::Request wanted{};
  wanted.expires_at = parts_.clock.now() + token_lifetime;
  wanted.avatar_id = options_.avatar_id;
  wanted.uses_max = 1;
  wanted.length_max = session_length_max;
  wanted.idle_max = session_idle_max;
  wanted.sessions_max = sessions_max;
  wanted.peer = request.peer();
  wanted.request_id = request.id();
  const auto minted = parts_.mint(*caller, wanted);
  if (!minted) {
    reply_problem(response, minted.error());
    return parts_.admit.note_refused(*caller, call, minted.error());
  }
  auto& body = response.start(200, "application/json");
  const auto member = [&](std::string_view name, std::string_view text) {
    body += name;
    base::append_json_string(body, text);
  };
  member("{\"appId\":", minted->applied.app_id);
  member(",\"avatarId\":", options_.avatar_id);
  member(",\"sessionToken\":", minted->token.expose());
  member(",\"region\":", options_.region);
  body += ",\"sampleRate\":16000}";
  response.header("Cache-Control", "no-store");
}

void Page::sample(const http::Request&, http::Response& response) const {
  if (sample_.empty()) return reply_problem(response, 404, "This server has no sample.");
  response.start(200, "audio/wav") = sample_;
  response.header("Cache-Control", "no-cache");
}

}  // namespace stagedoor::api
