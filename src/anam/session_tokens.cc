#include "anam/session_tokens.h"

#include "anam/error_reply.h"
#include "anam/mint_request.h"
#include "base/iso_time.h"
#include "base/json_writer.h"

namespace stagedoor::anam {

using front::Guard;
using http::Request;
using http::Response;

void SessionTokens::add_to(http::Router& router, const Guard& guard) const {
  const std::string path(session_token_path);
  router.errors(path, [](Response& response, int status, std::string_view what) {
    reply(response, status, what);
  });
  router.add({"POST", path,
              guard.quick_or_slow_for_keys(
                  rules::Permission::tokens_mint,
                  [this](const rules::Caller& caller, const Request& in, Response& out) {
                    return at_once(caller, in, out);
                  },
                  [this](const rules::Caller& caller, const Request& in, Response& out) {
                    mint(caller, in, out);
                  })});
  router.add({"OPTIONS", path, http::Handler(&preflight)});
}

Guard::Attempt SessionTokens::at_once(const rules::Caller& caller, const Request& request,
                                      Response& response) const {
  const auto wanted = read_mint_request(request.body());
  if (!wanted) {
    refuse(request, response, wanted.error());
    return Guard::Attempt::answered;
  }
  const auto outcome = parts_.mint.at_once(caller, *wanted);
  if (!outcome) return Guard::Attempt::needs_time;
  answer(request, response, *outcome);
  return Guard::Attempt::answered;
}

void SessionTokens::mint(const rules::Caller& caller, const Request& request,
                         Response& response) const {
  const auto wanted = read_mint_request(request.body());
  if (!wanted) return refuse(request, response, wanted.error());
  answer(request, response, parts_.mint(caller, *wanted));
}

void SessionTokens::refuse(const Request& request, Response& response,
                           const rules::PersonaRefusal& why) const {
  // The hint of a fault may hold what a persona says; its path can't.
  const std::string_view path = why.faults.empty() ? "" : std::string_view(why.faults.front().path);
  parts_.log.write(base::LogLevel::info, "session_token.mint_refused",
                   {{"request_id", request.id()},
                    {"peer", request.peer()},
                    {"detail", why.error.detail},
                    {"member", path}});
  reply(response, why.error, why.faults);
}

void SessionTokens::answer(const Request& request, Response& response,
                           const actions::MintPersonaToken::Outcome& outcome) const {
  if (!outcome) return refuse(request, response, outcome.error());
  const auto& applied = outcome->applied;
  base::JsonWriter body(response.start(200, "application/json"));
  body.text("sessionToken", outcome->token.expose());
  body.text("expiresAt", base::iso_time(applied.expires_at));
  body.number("maxSessionLengthSeconds", applied.leash.length_max.count());
  body.end();
  response.header("Cache-Control", "no-store");
  allow_any_origin(response);
}

}  // namespace stagedoor::anam
