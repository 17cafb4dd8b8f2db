#include "anam/client_metrics.h"

#include <algorithm>

#include "anam/error_reply.h"
#include "base/json.h"

namespace stagedoor::anam {

void ClientMetrics::add_to(http::Router& router) {
  constexpr std::string_view path = "/v1/metrics/client";
  router.errors(std::string(path), [](http::Response& response, int status, std::string_view what) {
    reply(response, status, what);
  });
  router.add(
      {"POST", std::string(path),
       http::Handler([this](const http::Request& in, http::Response& out) { take(in, out); })});
  router.add({"OPTIONS", std::string(path), http::Handler(&preflight)});
}

void ClientMetrics::take(const http::Request& request, http::Response& response) {
  thread_local base::JsonReader reader;
  const auto body = reader.read(request.body());
  if (!body || !body->is_object())
    return reply(response, 400, "The body must be a JSON object: a metric, or {\"metrics\": []}.");
  const auto count = [this](const base::Json& metric) {
    const auto name = metric.member("name");
    const auto* const found = std::ranges::find(names, name ? name->text().value_or("") : "");
    const auto at =
        std::min<std::size_t>(static_cast<std::size_t>(found - names.begin()), names.size() - 1);
    counts_[at].fetch_add(1, std::memory_order_relaxed);
  };
  simdjson::dom::array metrics;
  const auto list = body->member("metrics");
  if (!list) {
    count(*body);
  } else if (list->element().get(metrics) != simdjson::SUCCESS || metrics.size() > batch_max) {
    return reply(response, 400, "metrics must be a list of at most 50.");
  } else {
    for (const auto metric : metrics) count(base::Json(metric));
  }
  response.start(200, "application/json") = "{}";
  allow_any_origin(response);
}

}  // namespace stagedoor::anam
