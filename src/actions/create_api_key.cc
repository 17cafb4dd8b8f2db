#include "actions/create_api_key.h"

#include <utility>

namespace stagedoor::actions {

base::Result<CreatedApiKey> CreateApiKey::operator()(const KeyManager& manager,
                                                     const Request& request) const {
  const auto place = manager.choose(parts_.catalog, request.app_id, request.environment);
  if (!place) return base::fail(place.error());
  const auto now = parts_.clock.now();
  auto key = key_of_wish(manager, *place, request.wish, now, parts_.tiers);
  if (!key) return base::fail(key.error());
  auto text = rules::ApiKeyText::make(place->environment, parts_.random);
  key->id = new_key_id(parts_.random);
  key->ends = text.ends();
  auto entry = manager.entry(now, rules::AuditAction::api_key_create,
                             rules::api_key_id_text(key->id), place->app->workspace_id);
  entry.detail = key->ends;
  const auto saved =
      parts_.records.create(manager.maker(), {{*key, parts_.hasher.current(text), entry}});
  if (!saved) return base::fail(saved.error());
  return CreatedApiKey{.key = *std::move(key), .text = std::move(text)};
}

}  // namespace stagedoor::actions
