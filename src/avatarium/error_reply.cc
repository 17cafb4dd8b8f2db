#include "avatarium/error_reply.h"

#include <utility>

#include "front/credential.h"
#include "front/limit_headers.h"

namespace stagedoor::avatarium {
namespace {

using base::ErrorCode;

struct Words {
  int status;
  std::string_view code, message;
};

// The first four codes and their messages are the vendor's, as printed; the others are ours.
Words words_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::credential_missing:
      return {401, "UNAUTHORIZED", "Authentication required. Provide an API key or JWT token."};
    case ErrorCode::unauthenticated:
    case ErrorCode::mistyped_key:
    case ErrorCode::wrong_environment:
      return {401, "INVALID_API_KEY", "The provided API key is invalid or has been revoked"};
    case ErrorCode::token_expired:
      return {401, "TOKEN_EXPIRED", "Your authentication token has expired. Please sign in again."};
    case ErrorCode::token_invalid:
    case ErrorCode::token_spent:
      return {401, "TOKEN_INVALID", "The authentication token is invalid."};
    case ErrorCode::malformed:
      return {400, "BAD_REQUEST", "The request is not valid."};
    case ErrorCode::payment_required:
      return {402, "PAYMENT_REQUIRED", "The plan does not cover this."};
    case ErrorCode::app_mismatch:
    case ErrorCode::forbidden:
      return {403, "FORBIDDEN", "This is not allowed."};
    case ErrorCode::app_unknown:
    case ErrorCode::avatar_unknown:
    case ErrorCode::not_found:
      return {404, "NOT_FOUND", "There is nothing here."};
    case ErrorCode::conflict:
      return {409, "CONFLICT", "It conflicts with what is there."};
    case ErrorCode::concurrency_limited:
      return {429, "RATE_LIMITED", "The app has all its live sessions."};
    case ErrorCode::rate_limited:
      return {429, "RATE_LIMITED", "Too many requests; try again after Retry-After seconds."};
    case ErrorCode::unsupported:
      return {501, "NOT_IMPLEMENTED", "This server does not do that."};
    case ErrorCode::unavailable:
      return {503, "SERVICE_UNAVAILABLE", "A part of the server did not answer; try again."};
  }
  std::unreachable();
}

std::string_view code_of(int status) {
  switch (status) {
    case 400:
      return "BAD_REQUEST";
    case 404:
      return "NOT_FOUND";
    case 405:
      return "METHOD_NOT_ALLOWED";
    case 408:
      return "REQUEST_TIMEOUT";
    case 413:
      return "PAYLOAD_TOO_LARGE";
    case 415:
      return "UNSUPPORTED_MEDIA_TYPE";
    case 431:
      return "HEADERS_TOO_LARGE";
    case 503:
      return "SERVICE_UNAVAILABLE";
    default:
      return "INTERNAL_ERROR";
  }
}

void append_details(base::JsonWriter& error, std::span<const base::FieldFault> faults) {
  auto& out = error.begin("details");
  char before = '[';
  for (const auto& fault : faults) {
    out += std::exchange(before, ',');
    base::JsonWriter detail(out);
    detail.text("field", fault.path).text("reason", fault.code).text("message", fault.message);
    detail.end();
  }
  out += ']';
}

}  // namespace

void append_meta(base::JsonWriter& body, const http::Request& request) {
  base::JsonWriter meta(body.begin("meta"));
  meta.text("requestId", "req_" + std::string(request.id()));
  meta.end();
}

void reply(const http::Request& request, http::Response& response, const base::Error& error,
           std::span<const base::FieldFault> faults) {
  const auto words = words_of(error.code);
  base::JsonWriter body(response.start(words.status, "application/json"));
  base::JsonWriter inner(body.begin("error"));
  inner.text("code", words.code).text("message", words.message);
  // The printed message already says what to do.
  const bool says_all = error.code == ErrorCode::token_expired;
  if (!error.hint.empty() && !says_all) inner.text("hint", error.hint);
  if (!faults.empty()) append_details(inner, faults);
  inner.end();
  append_meta(body, request);
  body.end();
  response.header("Cache-Control", "no-store");
  front::tell_late_limit(response, error);
  front::tell_challenge(response, error);
  response.remark(error.detail);
}

void reply(http::Response& response, int status, std::string_view what) {
  base::JsonWriter body(response.start(status, "application/json"));
  base::JsonWriter inner(body.begin("error"));
  inner.text("code", code_of(status)).text("message", what);
  inner.end();
  body.json("meta", "{\"requestId\":null}");
  body.end();
  response.header("Cache-Control", "no-store");
}

}  // namespace stagedoor::avatarium
