#include "api/me.h"

#include <utility>

#include "api/account_json.h"
#include "api/problem.h"

namespace stagedoor::api {
namespace {

using rules::CallerKind;

void append_person(std::string& body, const rules::Caller& caller) {
  append_text(body, "kind", "person");
  append_text(body, "id", caller.account_id());
  append_text_or_null(body, "workspace_id", caller.workspace_id());
  append_text_or_null(body, "role",
                      caller.workspace_id().empty() ? "" : rules::name_of(caller.role()));
  const auto& identity = caller.identity();
  append_text_or_null(body, "email", identity.email);
  append_flag(body, "email_verified", identity.email_is_verified);
  append_text(body, "issuer", identity.issuer);
  append_text(body, "subject", identity.subject);
  append_time(body, "expires_at", identity.expires_at);
}

void append_key(std::string& body, const rules::Caller& caller) {
  append_text(body, "kind", "api_key");
  append_text(body, "id", caller.actor());
  append_text(body, "workspace_id", caller.workspace_id());
  append_text(body, "app_id", caller.app().id);
  append_text(body, "environment", rules::name_of(caller.environment()));
  append_text(body, "tier", caller.terms().tier);
}

}  // namespace

Me::Me(const actions::People& people, const std::string& public_url) : people_(people) {
  discovery_ = "{";
  append_text(discovery_, "issuer", people.keys.issuer());
  append_text(discovery_, "jwks_uri", public_url + "/.well-known/jwks.json");
  append_texts(discovery_, "id_token_signing_alg_values_supported", {"EdDSA"});
  append_texts(discovery_, "subject_types_supported", {"public"});
  append_texts(discovery_, "claims_supported",
               {"iss", "sub", "aud", "iat", "exp", "jti", "email", "email_verified", "gen"});
  discovery_ += '}';
}

void Me::add_to(http::Router& router, const front::Guard& guard) const {
  router.add(
      {"GET", "/v1/me",
       guard.quick(std::nullopt, [this](const rules::Caller& caller, const http::Request& in,
                                        http::Response& out) { who_am_i(caller, in, out); })});
  router.add(
      {"GET", "/v1/workspaces",
       guard.slow(std::nullopt, [this](const rules::Caller& caller, const http::Request& in,
                                       http::Response& out) { workspaces(caller, in, out); })});
  const auto add_public = [&](const char* path, const std::string& text) {
    router.add({"GET", path, http::Handler([&text](const http::Request&, http::Response& out) {
                  out.header("Cache-Control", "public, max-age=300");
                  out.header("Access-Control-Allow-Origin", "*");
                  out.start(200, "application/json") += text;
                })});
  };
  add_public("/.well-known/jwks.json", people_.keys.jwk_set_json());
  add_public("/.well-known/openid-configuration", discovery_);
}

void Me::who_am_i(const rules::Caller& caller, const http::Request&,
                  http::Response& response) const {
  response.header("Cache-Control", "no-store");
  auto& body = response.start(200, "application/json");
  body += '{';
  if (caller.kind() == CallerKind::person)
    append_person(body, caller);
  else
    append_key(body, caller);
  const auto scopes = rules::scopes_of(caller.permissions());
  append_texts(body, "permissions", {scopes.begin(), scopes.end()});
  body += '}';
}

void Me::workspaces(const rules::Caller& caller, const http::Request&,
                    http::Response& response) const {
  if (caller.kind() != CallerKind::person)
    return reply_problem(response, {base::ErrorCode::forbidden, "an API key asks for workspaces",
                                    "This is for people; an API key belongs to one app, see "
                                    "/v1/me."});
  const auto memberships = people_.members.memberships(caller.account_id());
  if (!memberships) return reply_problem(response, memberships.error());
  reply_list(response, *memberships, append_membership);
}

}  // namespace stagedoor::api
