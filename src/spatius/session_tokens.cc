#include "spatius/session_tokens.h"

#include <algorithm>
#include <string>

#include "spatius/error_reply.h"
#include "spatius/mint_request.h"

namespace stagedoor::spatius {
namespace {

using base::ErrorCode;

bool is_json(const http::Request& request) {
  constexpr std::string_view wanted = "application/json";
  const auto type = request.header("Content-Type").value_or("");
  const auto essence = type.substr(0, type.find(';'));
  const auto trimmed = essence.substr(0, essence.find_last_not_of(" \t") + 1);
  return std::ranges::equal(trimmed, wanted, [](char a, char b) {
    return (a >= 'A' && a <= 'Z' ? a - 'A' + 'a' : a) == b;
  });
}

std::string_view pointer_for(ErrorCode code) {
  if (code == ErrorCode::malformed) return "/expireAt";
  if (code == ErrorCode::app_mismatch) return "/appId";
  if (code == ErrorCode::avatar_unknown) return "/avatarId";
  return {};
}

}  // namespace

void SessionTokens::operator()(const rules::Caller& caller, const http::Request& request,
                               http::Response& response) const {
  const auto refused = [&](const base::Error& error, std::string_view pointer) {
    parts_.log.write(base::LogLevel::info, "session_token.mint_refused",
                     {{"request_id", request.id()},
                      {"peer", request.peer()},
                      {"detail", error.detail},
                      {"hint", error.hint}});
    reply_console(response, error, pointer);
  };

  if (!is_json(request))
    return reply_console(response, 415, "Send the body as Content-Type: application/json.");
  auto wanted = read_mint_request(request.body());
  if (!wanted) return refused(wanted.error().error, wanted.error().pointer);
  wanted->peer = request.peer();
  wanted->request_id = request.id();
  const auto minted = parts_.mint(caller, *wanted);
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
