#include "spatius/session_tokens.h"

#include <algorithm>
#include <charconv>
#include <string>

#include "base/json.h"
#include "spatius/error_reply.h"

namespace stagedoor::spatius {
namespace {

using base::ErrorCode;
using base::Json;
using Mint = actions::MintSessionToken;

// An error, and the member of the body that it is about.
struct Refusal {
  base::Error error;
  std::string_view pointer;
};
template <class T>
using Read = std::expected<T, Refusal>;

std::unexpected<Refusal> refuse(ErrorCode code, std::string hint, std::string_view pointer = {}) {
  return std::unexpected(Refusal{{code, "mint request", std::move(hint)}, pointer});
}

Read<std::string_view> api_key_of(const http::Request& request) {
  if (request.header_count("X-Api-Key") > 1)
    return refuse(ErrorCode::malformed, "Send one X-Api-Key header, not several.");
  const auto key = request.header("X-Api-Key");
  if (key && !key->empty()) return *key;
  if (request.header("Authorization"))
    return refuse(ErrorCode::unauthenticated,
                  "Send the API key in the X-Api-Key header; Authorization is not read here.");
  return refuse(ErrorCode::unauthenticated, "Send an API key in the X-Api-Key header.");
}

bool is_json(const http::Request& request) {
  constexpr std::string_view wanted = "application/json";
  const auto type = request.header("Content-Type").value_or("");
  const auto essence = type.substr(0, type.find(';'));
  const auto trimmed = essence.substr(0, essence.find_last_not_of(" \t") + 1);
  return std::ranges::equal(trimmed, wanted, [](char a, char b) {
    return (a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a) == b;
  });
}

// proto JSON writes an int64 as a string of digits, and reads both.
std::optional<std::int64_t> int64_of(const Json& member) {
  if (const auto number = member.integer()) return number;
  const auto text = member.text();
  if (!text || text->empty()) return std::nullopt;
  std::int64_t number;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
  if (error != std::errc() || end != text->data() + text->size()) return std::nullopt;
  return number;
}

Read<base::Instant> expiry_of(const Json& body) {
  constexpr std::int64_t year_9999 = 253402300799;
  auto member = body.member("expireAt");
  const auto snake = body.member("expire_at");
  if (member && snake)
    return refuse(ErrorCode::malformed, "Give expireAt or expire_at, not both.", "/expireAt");
  if (!member) member = snake;
  if (!member || member->is_null())
    return refuse(ErrorCode::malformed,
                  "expireAt is missing: when the token expires, in Unix seconds.", "/expireAt");
  const auto seconds = int64_of(*member);
  if (!seconds)
    return refuse(ErrorCode::malformed, "expireAt must be a whole number of Unix seconds.",
                  "/expireAt");
  return base::from_unix_seconds(std::clamp<std::int64_t>(*seconds, 0, year_9999));
}

Read<std::string> optional_text(const Json& body, std::string_view name, std::string_view pointer) {
  const auto member = body.member(name);
  if (!member || member->is_null()) return std::string();
  const auto text = member->text();
  if (!text || text->size() > 128)
    return refuse(ErrorCode::malformed,
                  std::string(name) + " must be a string of at most 128 bytes.", pointer);
  return std::string(*text);
}

Read<Mint::Request> mint_request_of(const http::Request& request) {
  thread_local base::JsonReader reader;
  const auto body = reader.read(request.body());
  if (!body) return std::unexpected(Refusal{body.error(), {}});
  if (!body->is_object())
    return refuse(ErrorCode::malformed, "The body must be a JSON object with expireAt.");
  const auto expires_at = expiry_of(*body);
  if (!expires_at) return std::unexpected(expires_at.error());
  auto app_id = optional_text(*body, "appId", "/appId");
  if (!app_id) return std::unexpected(app_id.error());
  auto avatar_id = optional_text(*body, "avatarId", "/avatarId");
  if (!avatar_id) return std::unexpected(avatar_id.error());
  Mint::Request mint{};
  mint.expires_at = *expires_at;
  mint.app_id = *std::move(app_id);
  mint.avatar_id = *std::move(avatar_id);
  return mint;
}

std::string_view pointer_for(ErrorCode code) {
  if (code == ErrorCode::malformed) return "/expireAt";
  if (code == ErrorCode::app_mismatch) return "/appId";
  if (code == ErrorCode::avatar_unknown) return "/avatarId";
  return {};
}

}  // namespace

void SessionTokens::operator()(const http::Request& request, http::Response& response) const {
  const auto refused = [&](const base::Error& error, std::string_view pointer) {
    parts_.log.write(base::LogLevel::info, "session_token.mint_refused",
                     {{"request_id", request.id()},
                      {"peer", request.peer()},
                      {"detail", error.detail},
                      {"hint", error.hint}});
    reply_console(response, error, pointer);
  };

  const auto key = api_key_of(request);
  if (!key) return refused(key.error().error, {});
  const auto caller = parts_.authenticate(*key);
  if (!caller) return refused(caller.error(), {});
  if (!is_json(request))
    return reply_console(response, 415, "Send the body as Content-Type: application/json.");
  const auto wanted = mint_request_of(request);
  if (!wanted) return refused(wanted.error().error, wanted.error().pointer);
  const auto minted = parts_.mint(*caller, *wanted);
  if (!minted) return refused(minted.error(), pointer_for(minted.error().code));

  // A token is base64url and dots, so it needs no escaping.
  auto& body = response.start(200, "application/json");
  body += "{\"sessionToken\":\"";
  body += minted->token.expose();
  body += "\",\"expireAt\":";
  body += std::to_string(base::unix_seconds(minted->applied.expires_at));
  body += '}';
  response.header("Cache-Control", "no-store");
}

}  // namespace stagedoor::spatius
