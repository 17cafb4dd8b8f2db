#include "api/problem.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/json.h"
#include "front/credential.h"
#include "front/limit_headers.h"

namespace stagedoor::api {
namespace {

using base::ErrorCode;

constexpr auto all = std::to_array<Problem>({
    {"malformed", 400, "The request is not valid",
     "It can't be read, or a value breaks a stated limit; `detail` names the member at fault.",
     "Correct what `detail` names. Sending it again as it is will not help."},
    {"credential-missing", 401, "No credential came",
     "The call needs a credential and none came in the place where it is read.",
     "Send Authorization: Bearer with an API key, or with the access token of a person."},
    {"credential-not-accepted", 401, "The credential is not accepted",
     "It is in the right form, and unknown here, revoked, frozen or expired; which of them is told "
     "only to those who may manage it.",
     "Look it up in the list of keys. Check the environment (live or test) and the server."},
    {"key-mistyped", 401, "The API key's checksum fails",
     "An API key ends in a checksum of itself, and this one's is wrong: it was cut, mistyped or "
     "made "
     "up. This is told from the text alone.",
     "Copy the key again, whole and without white space."},
    {"key-of-other-environment", 401, "A key of the other environment",
     "A live key where only test keys are served, or the other way round.",
     "Use a key of the environment that `detail` names."},
    {"token-invalid", 401, "The token is not accepted",
     "A person's token or a session token that is not genuine, not from an issuer that this server "
     "trusts, not meant for this server, or of another kind than the call takes.",
     "Sign in again; for a session, mint a new session token."},
    {"token-expired", 401, "The token has expired",
     "It is genuine and too late. Tokens of people last an hour.",
     "Refresh it or sign in again; for a session, mint a new session token."},
    {"token-spent", 401, "The session token has been used",
     "A session token opens as many sessions as it was minted for, usually one, and this one has.",
     "Mint a session token per session."},
    {"payment-required", 402, "What was paid for does not cover it",
     "The app's minutes of this month are used up.",
     "Raise the app's limit, or wait for the next month."},
    {"forbidden", 403, "Not allowed",
     "The caller is known and may not do this: the credential lacks a permission, is of the other "
     "environment, or may not be used from this network.",
     "Use a credential as `detail` says: with that permission, or of that environment."},
    {"app-mismatch", 403, "Another app than the credential's",
     "The call names an app that the credential does not belong to.",
     "Leave the app out, or use a key of that app."},
    {"not-found", 404, "There is nothing here",
     "It does not exist, or the caller may not know that it does; the two are not told apart.",
     "Check the id, the app and the environment."},
    {"method-not-allowed", 405, "Not with this method",
     "The path exists; Allow names the methods that it takes.", "Use one of them."},
    {"too-slow", 408, "The request came too slowly", "Head or body were not complete in time.",
     "Send it again, faster."},
    {"conflict", 409, "It conflicts with what is there",
     "It would make a second of what there can be one of, or take away what must stay, such as the "
     "last owner.",
     "`detail` says with what it conflicts."},
    {"too-large", 413, "The body is too large", "It is longer than the settings allow.",
     "Send less at once."},
    {"wrong-content-type", 415, "Not this content type", "The body is not of a type that is read.",
     "Send application/json."},
    {"rate-limited", 429, "Too many calls",
     "The caller's rate limit is used up. X-RateLimit-* and RateLimit tell the limit, Retry-After "
     "when the next call is admitted.",
     "Wait as long as Retry-After says. docs/guide/limits.md explains rates and bursts."},
    {"concurrency-limited", 429, "Too many live sessions",
     "The app has all the live sessions that it may have at a time.",
     "End one, or wait until one ends; the session token was not spent. Retry-After says when to "
     "look again, since nobody knows when one ends."},
    {"head-too-large", 431, "The head is too large", "The request's head is longer than allowed.",
     "Send fewer or shorter headers."},
    {"internal", 500, "The server made a mistake", "A fault in this program; it has been logged.",
     "Report it with the request id."},
    {"unsupported", 501, "Not something this server does",
     "Understood, and this server or its settings do not offer it.",
     "`detail` says what is missing."},
    {"unavailable", 503, "A part did not answer",
     "A part that is needed, such as the disk or an identity provider, did not answer; nothing was "
     "guessed and nothing was done.",
     "Try again."},
});

const Problem& named(std::string_view type) {
  return *std::ranges::find(all, type, &Problem::type);
}

std::string_view type_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::malformed:
      return "malformed";
    case ErrorCode::credential_missing:
      return "credential-missing";
    case ErrorCode::unauthenticated:
      return "credential-not-accepted";
    case ErrorCode::mistyped_key:
      return "key-mistyped";
    case ErrorCode::wrong_environment:
      return "key-of-other-environment";
    case ErrorCode::token_invalid:
      return "token-invalid";
    case ErrorCode::token_expired:
      return "token-expired";
    case ErrorCode::token_spent:
      return "token-spent";
    case ErrorCode::app_mismatch:
      return "app-mismatch";
    case ErrorCode::forbidden:
      return "forbidden";
    case ErrorCode::app_unknown:
    case ErrorCode::avatar_unknown:
    case ErrorCode::not_found:
      return "not-found";
    case ErrorCode::conflict:
      return "conflict";
    case ErrorCode::payment_required:
      return "payment-required";
    case ErrorCode::concurrency_limited:
      return "concurrency-limited";
    case ErrorCode::rate_limited:
      return "rate-limited";
    case ErrorCode::unsupported:
      return "unsupported";
    case ErrorCode::unavailable:
      return "unavailable";
  }
  std::unreachable();
}

enum class Words : unsigned char { own, shared };

void write(http::Response& response, const Problem& problem, std::string_view detail, Words words) {
  auto& body = response.start(problem.status, "application/problem+json");
  body += "{\"type\":\"/problems/";
  body += problem.type;
  body += "\",\"title\":";
  base::append_json_string(body, problem.title);
  body += ",\"status\":" + std::to_string(problem.status);
  if (!detail.empty()) {
    body += ",\"detail\":";
    base::append_json_string(body, detail);
  }
  if (words == Words::shared) {
    body += ",\"error\":";
    base::append_json_string(body, problem.title);
    body += ",\"message\":";
    base::append_json_string(body, detail.empty() ? problem.meaning : detail);
  }
  body += '}';
  response.header("Cache-Control", "no-store");
}

void write(http::Response& response, const base::Error& error, Words words) {
  write(response, problem_of(error.code), error.hint, words);
  front::tell_late_limit(response, error);
  front::tell_challenge(response, error);
  response.remark(error.detail);
}

}  // namespace

std::span<const Problem> problems() {
  return all;
}

const Problem& problem_of(ErrorCode code) {
  return named(type_of(code));
}

const Problem& problem_of_status(int status) {
  // Of several with one status the plumbing means the plainest.
  if (status == 401) return named("credential-missing");
  if (status == 403) return named("forbidden");
  const auto found = std::ranges::find(all, status, &Problem::status);
  return found == all.end() ? named("internal") : *found;
}

void reply_problem(http::Response& response, int status, std::string_view detail) {
  write(response, problem_of_status(status), detail, Words::own);
}

void reply_problem(http::Response& response, const base::Error& error) {
  write(response, error, Words::own);
}

void reply_shared_problem(http::Response& response, int status, std::string_view detail) {
  write(response, problem_of_status(status), detail, Words::shared);
}

void reply_shared_problem(http::Response& response, const base::Error& error) {
  write(response, error, Words::shared);
}

std::string problems_reference() {
  std::string out =
      "# Problems\n\n"
      "Each refusal of our own API is a problem document (RFC 9457) whose `type` is the address "
      "of\n"
      "one of these pages on the server itself. Written from the table in the program by\n"
      "`stagedoor config problems`; `./dev check` compares.\n";
  for (const auto& problem : all) {
    out.append("\n## ").append(problem.type).append("\n\n");
    out.append("`/problems/").append(problem.type).append("`, ");
    out.append(std::to_string(problem.status)).append(": ").append(problem.title).append(".\n\n");
    out.append(problem.meaning).append("\n\n").append(problem.remedy).append("\n");
  }
  return out;
}

}  // namespace stagedoor::api
