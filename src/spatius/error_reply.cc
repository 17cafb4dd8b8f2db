#include "spatius/error_reply.h"

#include "base/json.h"
#include "front/credential.h"
#include "front/limit_headers.h"

namespace stagedoor::spatius {
namespace {

using base::ErrorCode;

struct ConsoleWords {
  int status;
  std::string_view code, title, detail;  // `detail` where the error has no hint of its own
};

ConsoleWords console_words(ErrorCode code) {
  switch (code) {
    case ErrorCode::malformed:
      return {400, "INVALID_ARGUMENT", "Invalid Argument", "The request is not valid."};
    // The vendor's clients take the word "unauthorized" anywhere in a refusal for a LiveKit one.
    case ErrorCode::credential_missing:
      return {401, "INVALID_ARGUMENT", "Missing API key",
              "Send an API key in the X-Api-Key header."};
    case ErrorCode::token_invalid:
      return {401, "INVALID_ARGUMENT", "Invalid token", "The token is not accepted."};
    case ErrorCode::unauthenticated:
      return {401, "INVALID_ARGUMENT", "Invalid API key",
              "invalid api key: it is unknown here or has been revoked."};
    case ErrorCode::mistyped_key:
      return {401, "INVALID_ARGUMENT", "Invalid API key", "The API key's checksum fails."};
    case ErrorCode::wrong_environment:
      return {401, "INVALID_ARGUMENT", "Invalid API key",
              "The API key is of the wrong environment."};
    case ErrorCode::token_expired:
      return {401, "INVALID_ARGUMENT", "Expired", "The session token has expired."};
    case ErrorCode::token_spent:
      return {401, "INVALID_ARGUMENT", "Spent", "The session token has been used."};
    case ErrorCode::app_mismatch:
      return {403, "PERMISSION_DENIED", "Permission Denied", "The app is another one."};
    case ErrorCode::app_unknown:
      return {404, "NOT_FOUND", "Not Found", "App not found."};
    case ErrorCode::avatar_unknown:
      return {404, "NOT_FOUND", "Not Found", "Avatar not found."};
    case ErrorCode::forbidden:
      return {403, "PERMISSION_DENIED", "Permission Denied", "This is not allowed."};
    case ErrorCode::not_found:
      return {404, "NOT_FOUND", "Not Found", "There is nothing here."};
    case ErrorCode::conflict:
      return {409, "ALREADY_EXISTS", "Already Exists", "It conflicts with what is there."};
    case ErrorCode::payment_required:
      return {402, "INSUFFICIENT_BALANCE", "Payment Required", "The app's minutes are used up."};
    case ErrorCode::concurrency_limited:
      return {429, "QUOTA_EXCEEDED", "Quota Exceeded", "The app has all its live sessions."};
    case ErrorCode::rate_limited:
      return {429, "QUOTA_EXCEEDED", "Quota Exceeded", "Too many requests; try later."};
    case ErrorCode::unsupported:
      return {501, "UNIMPLEMENTED", "Unimplemented", "This server does not do that."};
    case ErrorCode::unavailable:
      return {503, "UNAVAILABLE", "Unavailable", "A part of the server did not answer; try again."};
  }
  std::unreachable();
}

void write_console(http::Response& response, const ConsoleWords& words, std::string_view detail,
                   std::string_view pointer) {
  auto& body = response.start(words.status, "application/json");
  const auto member = [&](std::string_view name, std::string_view text) {
    base::append_json_string(body, name);
    body += ':';
    base::append_json_string(body, text);
  };
  body += "{\"errors\":[{";
  member("id", words.code);
  // A number: the vendor's Go client decodes nothing of an answer whose status is a string.
  body += ",\"status\":" + std::to_string(words.status) + ",";
  member("code", words.code);
  body += ',';
  member("title", words.title);
  body += ',';
  member("detail", detail);
  if (!pointer.empty()) {
    body += ",\"source\":{";
    member("pointer", pointer);
    body += '}';
  }
  body += "}]}";
  response.header("Cache-Control", "no-store");
}

struct UpgradeWords {
  int status;
  std::string message;
};

// Contract 3.2: status and words by which the vendor's clients tell the cases apart.
UpgradeWords upgrade_words(const base::Error& error, std::string_view avatar_id) {
  switch (error.code) {
    case ErrorCode::malformed:
      return {400, error.hint.empty() ? "Bad request" : error.hint};
    case ErrorCode::credential_missing:
    case ErrorCode::token_invalid:
    case ErrorCode::unauthenticated:
    case ErrorCode::mistyped_key:
    case ErrorCode::wrong_environment:
      return {400, "Invalid session token"};
    case ErrorCode::token_spent:
      return {400, error.hint.empty()
                       ? "Invalid session token: it has been used; mint one per session"
                       : error.hint};
    case ErrorCode::token_expired:
      return {401, "session token expired"};
    case ErrorCode::app_mismatch:
      return {400, "app id mismatch: the session token is for another app"};
    case ErrorCode::app_unknown:
      return {404, "App not found: the app id is not recognized"};
    case ErrorCode::avatar_unknown:
      return {404, "Avatar not found: " + std::string(avatar_id.substr(0, 128))};
    case ErrorCode::forbidden:
      return {403, error.hint.empty() ? "This is not allowed" : error.hint};
    case ErrorCode::not_found:
      return {404, "Not found"};
    case ErrorCode::conflict:
      return {409, "It conflicts with what is there"};
    case ErrorCode::payment_required:
      // By these words the vendor's clients know it.
      return {402, "Session denied: credits exhausted: the app's minutes are used up"};
    case ErrorCode::concurrency_limited:
      return {429, "Concurrency limit reached: the app has all the live sessions that it may have"};
    case ErrorCode::rate_limited:
      return {429, error.hint.empty() ? "Too many requests; try later" : error.hint};
    case ErrorCode::unsupported:
      return {501, "This server does not do that"};
    case ErrorCode::unavailable:
      return {503, "A part of the server did not answer; try again with a new session token"};
  }
  std::unreachable();
}

}  // namespace

void reply_console(http::Response& response, const base::Error& error, std::string_view pointer) {
  const auto words = console_words(error.code);
  write_console(response, words, error.hint.empty() ? words.detail : error.hint, pointer);
  front::tell_late_limit(response, error);
  front::tell_challenge(response, error, "X-Api-Key");
  response.remark(error.detail);
}

void reply_console(http::Response& response, int status, std::string_view detail) {
  auto words = console_words(status == 404   ? ErrorCode::not_found
                             : status == 503 ? ErrorCode::unavailable
                                             : ErrorCode::malformed);
  if (status == 500) words = {500, "INTERNAL_SERVER_ERROR", "Internal Server Error", ""};
  words.status = status;
  write_console(response, words, detail, {});
}

void reply_upgrade(http::Response& response, const base::Error& error, std::string_view avatar_id) {
  const auto words = upgrade_words(error, avatar_id);
  reply_upgrade(response, words.status, words.message);
  front::tell_late_limit(response, error);
  front::tell_challenge(response, error, "X-Session-Key");
  response.remark(error.detail);
}

void reply_upgrade(http::Response& response, int status, std::string_view message) {
  auto& body = response.start(status, "application/json");
  body += "{\"message\":";
  base::append_json_string(body, message);
  // The vendor's server ends this body with a newline, and its clients' tests compare all of it.
  body += "}\n";
  response.header("Cache-Control", "no-store");
}

}  // namespace stagedoor::spatius
