#include "actions/authenticate_api_key.h"

#include <algorithm>

namespace stagedoor::actions {

using base::ErrorCode;

base::Result<rules::Caller> AuthenticateApiKey::operator()(std::string_view text,
                                                           const base::Address& client) const {
  const auto key = rules::ApiKeyText::parse(text);
  if (!key) return base::fail(key.error());
  const bool is_live = key->environment() == rules::Environment::live;
  if (is_live ? !options_.accepts_live : !options_.accepts_test) {
    return base::fail(ErrorCode::wrong_environment, "key of an environment that is not served",
                      is_live ? "This server takes test keys (av_test_) only."
                              : "This server takes live keys (av_live_) only.");
  }
  for (std::size_t generation = 0; generation < parts_.hasher.generations(); ++generation) {
    const auto hash = parts_.hasher.of_generation(generation, *key);
    const auto known = parts_.keys.find(hash);
    if (!known) continue;
    if (generation > 0) parts_.keys.rehash(known->id, hash, parts_.hasher.current(*key));
    return checked(*known, client);
  }
  return base::fail(ErrorCode::unauthenticated, "unknown or revoked API key");
}

base::Result<rules::Caller> AuthenticateApiKey::checked(const rules::KnownApiKey& key,
                                                        const base::Address& client) const {
  const auto& terms = *key.terms;
  if (terms.expires_at && parts_.clock.now() >= *terms.expires_at)
    return base::fail(ErrorCode::unauthenticated, rules::api_key_id_text(key.id) + " has expired");
  const auto is_from = [&](const base::Network& network) { return network.contains(client); };
  if (!terms.networks.empty() && std::ranges::none_of(terms.networks, is_from)) {
    return base::fail(ErrorCode::forbidden,
                      rules::api_key_id_text(key.id) + " from a network that it is not for",
                      "This API key may not be used from this network.");
  }
  return rules::Caller(key);
}

}  // namespace stagedoor::actions
