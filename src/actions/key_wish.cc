#include "actions/key_wish.h"

#include <array>
#include <cstring>
#include <utility>

namespace stagedoor::actions {
namespace {

using base::ErrorCode;

std::unexpected<base::Error> malformed(std::string hint) {
  return base::fail(ErrorCode::malformed, "wish for a key", std::move(hint));
}

base::Result<rules::Permissions> scopes_of(const KeyManager& manager, const KeyWish& wish) {
  if (!wish.scopes) return manager.default_scopes();
  if (wish.scopes->empty()) return malformed("scopes is empty: name one, or leave it out for all.");
  return rules::read_scopes(*wish.scopes);
}

base::Result<std::vector<base::Network>> networks_of(const KeyManager& manager,
                                                     const KeyWish& wish) {
  if (!wish.networks)
    return manager.own_terms() ? manager.own_terms()->networks : std::vector<base::Network>();
  if (wish.networks->size() > rules::api_key_networks_max)
    return malformed("networks: a key has at most 64 of them.");
  std::vector<base::Network> networks;
  for (const auto& text : *wish.networks) {
    const auto network = base::parse_network(text);
    if (!network)
      return malformed("networks: " + text.substr(0, 64) +
                       " is not a network such as 192.0.2.0/24 or 2001:db8::/32.");
    networks.push_back(*network);
  }
  return networks;
}

base::Result<std::optional<base::Instant>> expiry_of(const KeyManager& manager, const KeyWish& wish,
                                                     base::Instant now) {
  if (!wish.expires_at) return manager.own_expiry();
  const base::Instant expiry = std::chrono::floor<std::chrono::seconds>(*wish.expires_at);
  if (expiry <= now) return malformed("expires_at is not in the future.");
  if (expiry > rules::api_key_expiry_max)
    return malformed("expires_at is later than the year 2106.");
  return std::optional(expiry);
}

}  // namespace

std::uint64_t new_key_id(base::Random& random) {
  std::array<std::uint8_t, 8> bytes;
  random.fill(bytes);
  std::uint64_t id;
  std::memcpy(&id, bytes.data(), sizeof id);
  return id >> 1;
}

base::Result<rules::ApiKey> key_of_wish(const KeyManager& manager, const ChosenApp& place,
                                        const KeyWish& wish, base::Instant now,
                                        const rules::RateTiers& tiers) {
  if (auto named = rules::check_key_name(wish.name); !named) return base::fail(named.error());
  auto scopes = scopes_of(manager, wish);
  if (!scopes) return base::fail(scopes.error());
  auto networks = networks_of(manager, wish);
  if (!networks) return base::fail(networks.error());
  const auto expires_at = expiry_of(manager, wish, now);
  if (!expires_at) return base::fail(expires_at.error());

  rules::ApiKey key;
  key.app_id = place.app->id;
  key.environment = place.environment;
  key.name = wish.name;
  key.created_by = manager.actor();
  key.created_at = now;
  key.expires_at = *expires_at;
  key.terms.scopes = *scopes;
  key.terms.networks = *std::move(networks);
  if (wish.tier) {
    if (!tiers.contains(*wish.tier))
      return malformed("There is no tier " + wish.tier->substr(0, 64) + ".");
    key.terms.tier = *wish.tier;
  } else if (manager.own_terms()) {
    key.terms.tier = manager.own_terms()->tier;
  }
  key.terms.own_limit = wish.own_limit;
  if (!wish.own_limit && !wish.tier && manager.own_terms())
    key.terms.own_limit = manager.own_terms()->own_limit;
  if (auto may = manager.check_may_make(key.terms, key.expires_at, tiers); !may)
    return base::fail(may.error());
  return key;
}

}  // namespace stagedoor::actions
