#include "server/issuers.h"

#include <utility>

#include "server/issuer_settings.h"

namespace stagedoor::server {

Issuers::Issuers(const Config& config, const base::Clock& clock, base::Random& random,
                 base::Log& log, std::vector<actions::VerifyIdentity::Issuer> own)
    : fetch_({.bytes_max = rules::jwk_set_bytes_max,
              .allows_private_addresses = config.people_allow_private_issuers}) {
  auto issuers = std::move(own);
  // parse_config has checked them.
  const auto policies = policies_of(config.people_issuers, config.people_allow_private_issuers);
  for (const auto& policy : policies.value_or(std::vector<rules::IssuerPolicy>())) {
    sets_.push_back(std::make_unique<store::FetchedJwkSet>(
        store::FetchedJwkSet::Parts{
            .fetcher = fetch_, .clock = clock, .log = log, .waiting = waiting_},
        policy));
    issuers.push_back({policy, *sets_.back()});
  }
  verify_ = std::make_unique<actions::VerifyIdentity>(std::move(issuers), random,
                                                      actions::VerifyIdentity::Options());
}

}  // namespace stagedoor::server
