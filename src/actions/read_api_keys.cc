#include "actions/read_api_keys.h"

#include <utility>

namespace stagedoor::actions {

base::Result<rules::ApiKeyPage> ReadApiKeys::page(const KeyManager& manager,
                                                  const PageRequest& request) const {
  const auto place = manager.choose(parts_.catalog, request.app_id, request.environment);
  if (!place) return base::fail(place.error());
  rules::ApiKeyQuery query;
  query.app_id = place->app->id;
  query.environment = place->environment;
  query.after = request.after;
  query.count_max = request.count_max;
  return parts_.records.list(query);
}

base::Result<rules::ApiKey> ReadApiKeys::one(const KeyManager& manager, std::uint64_t id) const {
  return manager.find(id, parts_.records, parts_.catalog);
}

base::Result<ReadApiKeys::Touched> ReadApiKeys::blast_radius(const KeyManager& manager,
                                                             std::uint64_t id) const {
  auto key = manager.find(id, parts_.records, parts_.catalog);
  if (!key) return base::fail(key.error());
  auto radius = parts_.records.blast_radius(*key);
  if (!radius) return base::fail(radius.error());
  return Touched{*std::move(key), *std::move(radius)};
}

}  // namespace stagedoor::actions
