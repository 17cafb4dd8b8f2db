#include "actions/create_api_key.h"

#include <array>
#include <cstring>

namespace stagedoor::actions {
namespace {

std::uint64_t new_id(base::Random& random) {
  std::array<std::uint8_t, 8> bytes;
  random.fill(bytes);
  std::uint64_t id;
  std::memcpy(&id, bytes.data(), sizeof id);
  return id >> 1;  // fits the store's signed integers
}

}  // namespace

base::Result<CreateApiKey::Created> CreateApiKey::operator()(const Request& request) const {
  const auto* app = parts_.catalog.app(request.app_id);
  if (app == nullptr) {
    return base::fail(base::ErrorCode::app_unknown, "key for an unknown app",
                      "There is no app " + request.app_id + ".");
  }
  if (request.name.empty() || request.name.size() > 100) {
    return base::fail(base::ErrorCode::malformed, "name of a key",
                      "A key's name has 1 to 100 bytes.");
  }
  auto text = rules::ApiKeyText::make(request.environment, parts_.random);
  rules::ApiKey key;
  key.id = new_id(parts_.random);
  key.app_id = app->id;
  key.environment = request.environment;
  key.name = request.name;
  key.ends = text.ends();
  key.created_at = parts_.clock.now();
  if (const auto saved = parts_.keys.create(key, parts_.hasher.current(text)); !saved)
    return base::fail(saved.error());
  return Created{.key = std::move(key), .text = std::move(text)};
}

}  // namespace stagedoor::actions
