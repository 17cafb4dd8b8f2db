#include "anam/error_reply.h"

#include <fmt/format.h>

#include <utility>

#include "base/json_writer.h"
#include "front/credential.h"
#include "front/limit_headers.h"

namespace stagedoor::anam {
namespace {

using base::ErrorCode;

struct Words {
  int status;
  std::string_view error, message;  // `message` where the error has no hint of its own
};

Words words_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::malformed:
      return {400, "Bad Request", "The request is not valid."};
    case ErrorCode::credential_missing:
      return {401, "Unauthorized", "Send an API key as Authorization: Bearer <key>."};
    case ErrorCode::unauthenticated:
      return {401, "Invalid API key", "The API key is unknown here or has been revoked."};
    case ErrorCode::mistyped_key:
      return {401, "Invalid API key", "The API key's checksum fails."};
    case ErrorCode::wrong_environment:
      return {401, "Invalid API key", "The API key is of the wrong environment."};
    case ErrorCode::token_invalid:
      return {401, "Invalid token", "The token is not accepted."};
    case ErrorCode::token_expired:
      return {401, "Token expired", "The token has expired."};
    case ErrorCode::token_spent:
      return {401, "Token used", "The session token has opened all the sessions that it may."};
    case ErrorCode::app_mismatch:
    case ErrorCode::forbidden:
      return {403, "Forbidden", "This is not allowed."};
    // Of a session token alone: what it was minted for has gone since.
    case ErrorCode::app_unknown:
      return {401, "Invalid token", "The app of this session token does not exist any more."};
    case ErrorCode::avatar_unknown:
      return {400, "Bad Request", "The persona's avatar does not exist any more."};
    case ErrorCode::not_found:
      return {404, "Not Found", "There is nothing here."};
    case ErrorCode::conflict:
      return {409, "Conflict", "It conflicts with what is there."};
    // The vendor's client tells the three 429 apart by these words.
    case ErrorCode::payment_required:
      return {429, "Spend cap reached", "What was paid for does not cover this."};
    case ErrorCode::concurrency_limited:
      return {429, "Concurrent session limit reached", "The app has all its live sessions."};
    case ErrorCode::rate_limited:
      return {429, "Too Many Requests", "Too many requests; try again after Retry-After seconds."};
    case ErrorCode::unsupported:
      return {501, "Not Implemented", "This server does not do that."};
    case ErrorCode::unavailable:
      return {503, "Service Unavailable", "A part of the server did not answer; try again."};
  }
  std::unreachable();
}

std::string_view cause_of(int status) {
  switch (status) {
    case 400:
      return "Bad Request";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 413:
      return "Payload Too Large";
    case 415:
      return "Unsupported Media Type";
    case 431:
      return "Request Header Fields Too Large";
    case 503:
      return "Service Unavailable";
    default:
      return "Internal Server Error";
  }
}

std::string sentence_of(const base::FieldFault& fault) {
  return fault.path.empty() ? fault.message : fmt::format("{}: {}", fault.path, fault.message);
}

void append_details(base::JsonWriter& body, std::span<const base::FieldFault> faults) {
  auto& out = body.begin("details");
  std::string summary;
  char before = '[';
  for (const auto& fault : faults) {
    out += std::exchange(before, ',');
    base::JsonWriter detail(out);
    detail.text("path", fault.path).text("message", fault.message).text("code", fault.code);
    detail.end();
    if (!summary.empty()) summary += "; ";
    summary += sentence_of(fault);
  }
  out += ']';
  body.text("summary", summary);
}

void write(http::Response& response, int status, std::string_view error, std::string_view message,
           std::span<const base::FieldFault> faults) {
  base::JsonWriter body(response.start(status, "application/json"));
  body.text("error", error).text("message", message);
  if (!faults.empty()) append_details(body, faults);
  body.end();
  response.header("Cache-Control", "no-store");
  allow_any_origin(response);
}

}  // namespace

void reply(http::Response& response, const base::Error& error,
           std::span<const base::FieldFault> faults) {
  if (error.code == ErrorCode::avatar_unknown && faults.empty()) {
    // As a mint call says it of an avatar that never was.
    const base::FieldFault fault{"personaConfig.avatarId", "unknown_reference",
                                 "There is no avatar with this id."};
    return reply(response, error, {&fault, 1});
  }
  const auto words = words_of(error.code);
  write(response, words.status, words.error, error.hint.empty() ? words.message : error.hint,
        faults);
  front::tell_late_limit(response, error);
  front::tell_challenge(response, error);
  response.remark(error.detail);
}

void reply(http::Response& response, int status, std::string_view what) {
  write(response, status, cause_of(status), what, {});
}

void allow_any_origin(http::Response& response) {
  response.header("Access-Control-Allow-Origin", "*");
  response.header("Access-Control-Expose-Headers",
                  "Retry-After, RateLimit, RateLimit-Policy, X-RateLimit-Limit, "
                  "X-RateLimit-Remaining, X-RateLimit-Reset, X-Request-Id");
}

void preflight(const http::Request&, http::Response& response) {
  response.start(204, "");
  response.header("Access-Control-Allow-Origin", "*");
  response.header("Access-Control-Allow-Methods", "POST");
  response.header("Access-Control-Allow-Headers", "Authorization, Content-Type, X-Anam-Target-Url");
  response.header("Access-Control-Max-Age", "600");
}

}  // namespace stagedoor::anam
