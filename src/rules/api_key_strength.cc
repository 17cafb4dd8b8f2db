#include "rules/api_key_strength.h"

#include <algorithm>

namespace stagedoor::rules {
namespace {

std::unexpected<base::Error> stronger(std::string_view what, std::string hint) {
  return base::fail(base::ErrorCode::forbidden, "a key that is stronger by " + std::string(what),
                    std::move(hint));
}

bool is_within(const base::Network& inner, const base::Network& outer) {
  return inner.prefix_bits >= outer.prefix_bits && outer.contains(inner.address);
}

}  // namespace

RateLimit limit_of(const ApiKeyTerms& terms, const RateTiers& tiers) {
  if (terms.own_limit) return *terms.own_limit;
  auto tier = tiers.find(terms.tier);
  if (tier == tiers.end()) tier = tiers.find("free");
  return tier == tiers.end() ? RateLimit{} : tier->second;
}

ApiKeyStrength strength_of(const ApiKeyTerms& terms, std::optional<base::Instant> expires_at,
                           const RateTiers& tiers) {
  ApiKeyStrength strength;
  strength.scopes = terms.scopes;
  strength.networks = terms.networks;
  strength.expires_at = expires_at;
  strength.limit = limit_of(terms, tiers);
  return strength;
}

base::Result<base::Done> check_scopes_covered(Permissions wanted, Permissions maker) {
  if (maker.covers(wanted)) return base::Done{};
  for (const auto name : scopes_of(wanted))
    if (const std::string scope(name); !maker.covers(*read_scopes({scope})))
      return stronger("scope " + scope, "A key can't be given the scope " + scope +
                                            ", which the credential that makes it has not.");
  return stronger("scopes", "A key can't have more scopes than the credential that makes it.");
}

base::Result<base::Done> check_not_outliving(std::optional<base::Instant> wanted,
                                             std::optional<base::Instant> maker) {
  if (!maker || (wanted && *wanted <= *maker)) return base::Done{};
  return stronger("expiry", "A key can't live longer than the key that makes it.");
}

base::Result<base::Done> check_not_stronger(const ApiKeyStrength& wanted,
                                            const ApiKeyStrength& maker) {
  if (auto covered = check_scopes_covered(wanted.scopes, maker.scopes); !covered) return covered;
  if (auto ends = check_not_outliving(wanted.expires_at, maker.expires_at); !ends) return ends;
  if (!maker.networks.empty()) {
    const auto is_allowed = [&](const base::Network& inner) {
      return std::ranges::any_of(
          maker.networks, [&](const base::Network& outer) { return is_within(inner, outer); });
    };
    if (wanted.networks.empty() || !std::ranges::all_of(wanted.networks, is_allowed))
      return stronger("network",
                      "A key can't be used from more networks than the key that makes it.");
  }
  if (is_higher(wanted.limit, maker.limit))
    return stronger("rate limit",
                    "A key can't have a higher rate limit than the key that makes it.");
  return base::Done{};
}

}  // namespace stagedoor::rules
