#include "server/reception.h"

#include <cstdlib>
#include <utility>

#include "anam/error_reply.h"
#include "api/problem.h"
#include "avatarium/error_reply.h"
#include "front/credential.h"
#include "spatius/error_reply.h"

namespace stagedoor::server {
namespace {

rules::IssuerPolicy own_policy(const rules::PeopleKeys& keys) {
  rules::IssuerPolicy policy;
  policy.issuer = keys.issuer();
  policy.audiences = {std::string(rules::people_audience)};
  policy.algorithms = {crypto::SignatureAlgorithm::eddsa};
  policy.needs_key_id = true;
  policy.is_our_own = true;
  return policy;
}

rules::JwkSet own_key_set(const rules::PeopleKeys& keys) {
  auto set = rules::JwkSet::parse(keys.jwk_set_json());
  if (!set) std::abort();  // we wrote it ourselves
  return *std::move(set);
}

}  // namespace

Reception::Reception(Workspace& workspace, const Config& config, base::Log& log)
    : own_keys_(own_key_set(*workspace.people_keys)),
      issuers_(config, workspace.clock, workspace.random, log,
               {{.policy = own_policy(*workspace.people_keys), .keys = own_keys_}}),
      limiter_(*workspace.limiter),
      audit_(*workspace.audit),
      admit_({.authenticate = *workspace.authenticate,
              .identities = issuers_.verifier(),
              .members = *workspace.people,
              .limiter = limiter_,
              .key_usage = *workspace.key_usage,
              .audit = audit_,
              .clock = workspace.clock},
             config.limits),
      workers_({}),
      api_(
          {.admit = admit_, .workers = workers_},
          [](http::Response& response, const base::Error& error) {
            api::reply_problem(response, error);
          },
          &front::bearer_of),
      shared_api_(
          {.admit = admit_, .workers = workers_},
          [](http::Response& response, const base::Error& error) {
            api::reply_shared_problem(response, error);
          },
          &front::bearer_of),
      console_(
          {.admit = admit_, .workers = workers_},
          [](http::Response& response, const base::Error& error) {
            spatius::reply_console(response, error);
          },
          [](const http::Request& request) {
            return front::api_key_header_of(request, "X-Api-Key");
          }),
      anam_(
          {.admit = admit_, .workers = workers_},
          [](http::Response& response, const base::Error& error) { anam::reply(response, error); },
          &front::bearer_of),
      avatarium_(
          {.admit = admit_, .workers = workers_},
          [](const http::Request& request, http::Response& response, const base::Error& error) {
            avatarium::reply(request, response, error);
          },
          &front::bearer_of) {}

std::vector<api::Gauge> Reception::gauges() const {
  using Counts = store::MemoryRateLimits::Counts;
  const auto number = [](std::uint64_t count) { return static_cast<double>(count); };
  std::vector<api::Gauge> all;
  for (std::size_t i = 0; i < rules::rate_kind_count; ++i) {
    const auto kind = static_cast<rules::RateKind>(i);
    const auto add = [&](std::string outcome, std::uint64_t Counts::* count) {
      all.push_back(
          {"stagedoor_rate_limit_calls_total",
           "What the limits said to calls, by kind; shadowed: admitted, since the limit "
           "only watches.",
           api::Gauge::Kind::counter,
           [this, kind, count, number] { return number(limiter_.counts(kind).*count); },
           {{"kind", std::string(rules::name_of(kind))}, {"outcome", std::move(outcome)}}});
    };
    add("allowed", &Counts::allowed);
    add("refused", &Counts::refused);
    add("shadowed", &Counts::shadowed);
  }
  all.push_back({"stagedoor_rate_limit_overflow_total",
                 "Calls whose caller found no place in the tables of limits.",
                 api::Gauge::Kind::counter,
                 [this, number] { return number(limiter_.overflow_uses()); }});
  return all;
}

}  // namespace stagedoor::server
