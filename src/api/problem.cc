#include "api/problem.h"

#include <string>
#include <utility>

#include "base/json.h"

namespace stagedoor::api {
namespace {

using base::ErrorCode;

struct Words {
  int status;
  std::string_view type, title;
};

Words words_of(int status) {
  switch (status) {
    case 400:
      return {400, "malformed", "The request is not valid"};
    case 401:
      return {401, "unauthenticated", "No accepted credential"};
    case 402:
      return {402, "payment-required", "What was paid for does not cover it"};
    case 403:
      return {403, "forbidden", "Not allowed"};
    case 404:
      return {404, "not-found", "There is nothing here"};
    case 405:
      return {405, "method-not-allowed", "Not with this method"};
    case 408:
      return {408, "too-slow", "The request came too slowly"};
    case 409:
      return {409, "conflict", "It conflicts with what is there"};
    case 413:
      return {413, "too-large", "The body is too large"};
    case 415:
      return {415, "wrong-content-type", "Not this content type"};
    case 429:
      return {429, "too-many", "Too many"};
    case 431:
      return {431, "head-too-large", "The head is too large"};
    case 501:
      return {501, "unsupported", "Not something this server does"};
    case 503:
      return {503, "unavailable", "A part did not answer"};
    default:
      return {500, "internal", "The server made a mistake"};
  }
}

int status_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::malformed:
      return 400;
    case ErrorCode::credential_missing:
    case ErrorCode::token_invalid:
    case ErrorCode::unauthenticated:
    case ErrorCode::mistyped_key:
    case ErrorCode::wrong_environment:
    case ErrorCode::token_expired:
    case ErrorCode::token_spent:
      return 401;
    case ErrorCode::app_mismatch:
    case ErrorCode::forbidden:
      return 403;
    case ErrorCode::app_unknown:
    case ErrorCode::avatar_unknown:
    case ErrorCode::not_found:
      return 404;
    case ErrorCode::conflict:
      return 409;
    case ErrorCode::payment_required:
      return 402;
    case ErrorCode::concurrency_limited:
    case ErrorCode::rate_limited:
      return 429;
    case ErrorCode::unsupported:
      return 501;
    case ErrorCode::unavailable:
      return 503;
  }
  std::unreachable();
}

}  // namespace

void reply_problem(http::Response& response, int status, std::string_view detail) {
  const auto words = words_of(status);
  auto& body = response.start(words.status, "application/problem+json");
  body += "{\"type\":\"/problems/";
  body += words.type;
  body += "\",\"title\":";
  base::append_json_string(body, words.title);
  body += ",\"status\":" + std::to_string(words.status);
  if (!detail.empty()) {
    body += ",\"detail\":";
    base::append_json_string(body, detail);
  }
  body += '}';
  response.header("Cache-Control", "no-store");
}

void reply_problem(http::Response& response, const base::Error& error) {
  reply_problem(response, status_of(error.code), error.hint);
}

}  // namespace stagedoor::api
