#include "actions/authenticate_api_key.h"

namespace stagedoor::actions {

using base::ErrorCode;

base::Result<rules::Caller> AuthenticateApiKey::operator()(std::string_view text) const {
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
    return rules::Caller(known->id, known->environment, *known->app);
  }
  return base::fail(ErrorCode::unauthenticated, "unknown or revoked API key");
}

}  // namespace stagedoor::actions
