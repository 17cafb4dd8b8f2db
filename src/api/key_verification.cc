#include "api/key_verification.h"

#include <string>
#include <vector>

#include "api/body.h"
#include "api/key_json.h"
#include "api/problem.h"

namespace stagedoor::api {
namespace {

using actions::KeyVerdict;
using actions::VerifyApiKeys;

void write_limit(std::string& out, const rules::RateVerdict& limit) {
  base::JsonWriter writer(out);
  writer.text("policy", rules::text_of(limit.limit)).number("remaining", limit.remaining);
  writer.number("full_at", base::unix_seconds(limit.full_at));
  writer.number("retry_after_milliseconds", limit.retry_after.count()).end();
}

void write_networks(base::JsonWriter& writer, const std::vector<base::Network>& networks) {
  std::vector<std::string> texts;
  for (const auto& network : networks) texts.push_back(base::text_of(network));
  writer.texts("networks", texts);
}

void write_outcome(std::string& out, const VerifyApiKeys::Outcome& outcome,
                   const VerifyApiKeys::Asked& asked) {
  base::JsonWriter writer(out);
  writer.json("valid", outcome.verdict == KeyVerdict::valid ? "true" : "false");
  writer.text("reason", actions::name_of(outcome.verdict));
  if (!outcome.hint.empty()) writer.text("detail", outcome.hint);
  if (outcome.key) {
    const auto& key = *outcome.key;
    writer.text("id", rules::api_key_id_text(key.id)).text("app_id", key.app->id);
    writer.text("environment", rules::name_of(key.environment));
    writer.texts("scopes", rules::scopes_of(key.terms->scopes));
    write_networks(writer, key.terms->networks);
    writer.json("network_checked", asked.network ? "true" : "false");
    if (key.expires_at) {
      writer.number("expires_at", base::unix_seconds(*key.expires_at));
    } else {
      writer.json("expires_at", "null");
    }
  }
  const bool was_counted =
      outcome.verdict == KeyVerdict::valid || outcome.verdict == KeyVerdict::rate_limited;
  if (was_counted) write_limit(writer.begin("limit"), outcome.limit);
  writer.end();
}

// What is asked of all keys; trouble is told by the body.
VerifyApiKeys::Asked asked_of(Members& body) {
  VerifyApiKeys::Asked asked;
  asked.environment = read_environment(body);
  if (const auto scopes = body.texts_if("scopes", 64, {1, 64})) {
    const auto read = rules::read_scopes({scopes->begin(), scopes->end()});
    if (read) {
      asked.scopes = *read;
    } else {
      body.refuse("scopes", "has a scope that is not known");
    }
  }
  if (const auto text = body.text_if("network", {1, 64})) {
    asked.network = base::parse_address(*text);
    if (!asked.network) body.refuse("network", "must be an IPv4 or IPv6 address");
  }
  return asked;
}

}  // namespace

base::Result<KeyQuestion> read_key_question(std::string_view json) {
  Body body(json);
  KeyQuestion question;
  question.one = body.text_if("key", {0, rules::foreign_key_bytes_max});
  auto texts =
      body.texts_if("keys", actions::verified_at_once_max, {0, rules::foreign_key_bytes_max});
  question.asked = asked_of(body);
  if (question.one.has_value() == texts.has_value())
    body.refuse("key", "or \"keys\" must be there, and not both");
  if (auto read = body.finish(); !read) return base::fail(read.error());
  if (texts) question.list = *std::move(texts);
  return question;
}

void KeyVerification::operator()(const rules::Caller& caller, const http::Request& request,
                                 http::Response& response) const {
  auto question = read_key_question(request.body());
  if (!question) return reply_problem(response, question.error());
  question->asked.client = request.client();
  thread_local VerifyApiKeys::Batch batch;
  verify_(caller, question->asked, question->texts(), batch);
  const auto& outcomes = batch.outcomes;
  auto& out = response.start(200, "application/json");
  response.header("Cache-Control", "no-store");
  if (question->one) return write_outcome(out, outcomes.front(), question->asked);
  out += "{\"data\":[";
  for (const auto& outcome : outcomes) {
    if (&outcome != &outcomes.front()) out += ',';
    write_outcome(out, outcome, question->asked);
  }
  out += "]}";
}

void KeyVerification::add_to(http::Router& router, const front::Guard& guard) const {
  router.add({"POST", "/v1/keys/verify",
              guard.quick(rules::Permission::keys_verify,
                          [this](const rules::Caller& caller, const http::Request& in,
                                 http::Response& out) { (*this)(caller, in, out); })});
}

}  // namespace stagedoor::api
