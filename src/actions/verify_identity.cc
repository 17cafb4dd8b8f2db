#include "actions/verify_identity.h"

#include <utility>

namespace stagedoor::actions {
namespace {

std::unexpected<base::Error> refused(std::string detail, std::string hint) {
  return base::fail(base::ErrorCode::token_invalid, "JWT: " + std::move(detail), std::move(hint));
}

}  // namespace

VerifyIdentity::VerifyIdentity(std::vector<Issuer> issuers, base::Random& random, Options options)
    : issuers_(std::move(issuers)),
      verified_(options.remembered_max, rules::jwt_bytes_max, random) {
  for (std::size_t i = 0; i < issuers_.size(); ++i)
    by_name_.try_emplace(issuers_[i].policy.issuer, i);
}

base::Result<VerifyIdentity::Claimed> VerifyIdentity::read(std::string_view token) const {
  auto jwt = rules::read_jwt(token);
  if (!jwt) return base::fail(jwt.error());
  if (jwt->claims.is_session_token)
    return refused("a session token where a person's is read",
                   "A session token opens a session and can't call the API.");
  const auto issuer = by_name_.find(jwt->claims.issuer);
  if (issuer == by_name_.end())
    return refused("an issuer that is not accepted",
                   "The token's issuer is not one that this server accepts.");
  const auto algorithm = rules::check_header(issuers_[issuer->second].policy, jwt->header);
  if (!algorithm) return base::fail(algorithm.error());
  return Claimed{*std::move(jwt), issuer->second, *algorithm};
}

std::optional<base::Result<rules::Identity>> VerifyIdentity::remembered(std::string_view token,
                                                                        base::Instant now) {
  auto entry = verified_.find(token);
  if (!entry || entry->generation != issuers_[entry->issuer].keys.generation(now))
    return std::nullopt;
  if (auto still = rules::check_expiry(entry->identity, now); !still)
    return base::fail(still.error());
  return std::move(entry->identity);
}

std::optional<base::Result<rules::Identity>> VerifyIdentity::at_once(std::string_view token,
                                                                     base::Instant now) {
  if (auto known = remembered(token, now)) return known;
  // What is wrong on its face costs no worker.
  if (const auto claimed = read(token); !claimed) return base::fail(claimed.error());
  return std::nullopt;
}

base::Result<rules::Identity> VerifyIdentity::verify(std::string_view token, base::Instant now) {
  const auto claimed = read(token);
  if (!claimed) return base::fail(claimed.error());
  const auto& [jwt, which, algorithm] = *claimed;
  const auto& issuer = issuers_[which];
  const auto keys = issuer.keys.keys_for(jwt.header, algorithm, now);
  if (!keys) return base::fail(keys.error());
  const auto* key = keys->set->find(jwt.header.key_id, algorithm);
  if (key == nullptr || !key->verifies(algorithm, token.substr(0, jwt.signed_bytes), jwt.signature))
    return refused("a signature that fails", "The token's signature does not verify.");
  auto identity = rules::check_claims(issuer.policy, jwt.claims, now);
  if (!identity) return identity;
  verified_.keep(token, {.identity = *identity, .issuer = which, .generation = keys->generation});
  return identity;
}

}  // namespace stagedoor::actions
