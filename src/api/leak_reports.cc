#include "api/leak_reports.h"

#include "api/problem.h"
#include "base/json_writer.h"
#include "front/limit_headers.h"

namespace stagedoor::api {

void LeakReports::refuse_unsigned(const http::Request& request, http::Response& response,
                                  const base::Error& why) const {
  const auto outcome = admit_.refuse_stranger({.credential = base::fail(why),
                                               .client = request.client(),
                                               .peer = request.peer(),
                                               .request_id = request.id(),
                                               .action = "POST /v1/secret-scanning/github",
                                               .needs = std::nullopt},
                                              why);
  front::tell_limit(response, outcome.limit);
  // No Bearer is read here (rule challenge-on-401).
  if (problem_of(outcome.caller.error().code).status == 401)
    response.header("WWW-Authenticate", "Signature header=\"Github-Public-Key-Signature\"");
  reply_problem(response, outcome.caller.error());
}

void LeakReports::operator()(const http::Request& request, http::Response& response) const {
  actions::FreezeLeakedKeys::Request report;
  report.identifier = request.header("Github-Public-Key-Identifier").value_or("");
  report.signature = request.header("Github-Public-Key-Signature").value_or("");
  report.body = request.body();
  report.peer = request.peer();
  report.request_id = request.id();
  const auto labels = freeze_(report);
  if (!labels && labels.error().code == base::ErrorCode::unauthenticated)
    return refuse_unsigned(request, response, labels.error());
  if (!labels) return reply_problem(response, labels.error());
  auto& out = response.start(200, "application/json");
  response.header("Cache-Control", "no-store");
  out += '[';
  for (const auto& label : *labels) {
    if (&label != &labels->front()) out += ',';
    base::JsonWriter writer(out);
    writer.text("token_hash", label.token_sha256).text("token_type", label.type);
    writer.text("label", label.is_real ? "true_positive" : "false_positive").end();
  }
  out += ']';
}

void LeakReports::add_to(http::Router& router, const front::Guard& guard) const {
  router.add({"POST", "/v1/secret-scanning/github",
              guard.unlimited_slow(
                  [this](const http::Request& in, http::Response& out) { (*this)(in, out); })});
}

}  // namespace stagedoor::api
