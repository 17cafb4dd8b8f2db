#include "front/credential.h"

#include <string>

namespace stagedoor::front {
namespace {

using base::ErrorCode;

std::unexpected<base::Error> missing(std::string hint) {
  return base::fail(ErrorCode::credential_missing, "no credential in its place", std::move(hint));
}

bool looks_like_key(std::string_view text) {
  return text.starts_with("av_live_") || text.starts_with("av_test_");
}

}  // namespace

base::Result<std::string_view> bearer_of(const http::Request& request) {
  if (request.header_count("Authorization") > 1)
    return base::fail(ErrorCode::malformed, "two Authorization headers",
                      "Send one Authorization header, not several.");
  const auto value = request.header("Authorization");
  if (!value || value->empty()) {
    if (request.header("X-Api-Key"))
      return missing(
          "Send the API key as Authorization: Bearer <key>; X-Api-Key is not read here.");
    return missing("");
  }
  const auto space = value->find(' ');
  if (!http::same_name(value->substr(0, space), "Bearer")) {
    if (looks_like_key(*value))
      return missing("Put the word Bearer before the key: Authorization: Bearer <key>.");
    return missing("Send the credential as Authorization: Bearer <credential>.");
  }
  if (space == value->npos) return missing("Nothing follows the word Bearer.");
  // What surrounds the field's value has been taken off; one space belongs to the scheme, and any
  // further one to the credential, whose reader says so.
  return value->substr(space + 1);
}

base::Result<std::string_view> api_key_header_of(const http::Request& request,
                                                 std::string_view name) {
  if (request.header_count(name) > 1)
    return base::fail(ErrorCode::malformed, "two key headers",
                      "Send one " + std::string(name) + " header, not several.");
  const auto key = request.header(name);
  if (key && !key->empty()) return *key;
  if (request.header("Authorization"))
    return missing("Send the API key in the " + std::string(name) +
                   " header; Authorization is not read here.");
  return missing("Send an API key in the " + std::string(name) + " header.");
}

void tell_challenge(http::Response& response, const base::Error& error, std::string_view header) {
  if (response.status() != 401 || response.has("WWW-Authenticate")) return;
  if (!header.empty())
    return response.header("WWW-Authenticate", "ApiKey header=\"" + std::string(header) + "\"");
  const bool was_shown = error.code != ErrorCode::credential_missing;
  response.header("WWW-Authenticate", was_shown ? "Bearer error=\"invalid_token\"" : "Bearer");
}

}  // namespace stagedoor::front
