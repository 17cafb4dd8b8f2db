#include "actions/authenticate_api_key.h"

#include "actions/find_api_key.h"

namespace stagedoor::actions {

using base::ErrorCode;

base::Result<base::Done> AuthenticateApiKey::check_served(rules::Environment environment) const {
  const bool is_live = environment == rules::Environment::live;
  if (is_live ? options_.accepts_live : options_.accepts_test) return base::Done{};
  return base::fail(ErrorCode::wrong_environment, "key of an environment that is not served",
                    is_live ? "This server takes test keys (av_test_) only."
                            : "This server takes live keys (av_live_) only.");
}

base::Result<rules::Caller> AuthenticateApiKey::operator()(std::string_view text,
                                                           const base::Address& client) const {
  auto caller = whose(text);
  if (!caller) return caller;
  if (auto may = check_network(*caller, client); !may) return base::fail(may.error());
  return caller;
}

base::Result<rules::Caller> AuthenticateApiKey::whose(std::string_view text) const {
  const auto key = rules::ReadApiKey::of(text);
  if (!key) return of_foreign(text, key.error());
  if (auto served = check_served(key->environment()); !served) return base::fail(served.error());
  return checked(find_api_key(parts_.keys, parts_.hasher, *key));
}

base::Result<rules::Caller> AuthenticateApiKey::holder_of(std::string_view text) const {
  auto good = whose(text);
  if (good || good.error().code != ErrorCode::unauthenticated) return good;
  const auto known = look_up(text);
  if (!known) return good;
  if (auto served = check_served(known->environment); !served) return base::fail(served.error());
  return rules::Caller(*known);
}

std::optional<rules::KnownApiKey> AuthenticateApiKey::look_up(std::string_view text) const {
  return look_up_api_key_of(parts_.keys, parts_.hasher, text);
}

base::Result<rules::Caller> AuthenticateApiKey::of_known(const rules::KnownApiKey& known) const {
  if (auto served = check_served(known.environment); !served) return base::fail(served.error());
  const bool is_good = known.standing == rules::ApiKeyStanding::good;
  return checked(is_good ? std::optional(known) : std::nullopt);
}

base::Result<base::Done> AuthenticateApiKey::check_network(const rules::Caller& caller,
                                                           const base::Address& client) {
  if (caller.terms().allows(client)) return base::Done{};
  return base::fail(ErrorCode::forbidden, caller.actor() + " from a network that it is not for",
                    "This API key may not be used from this network.");
}

base::Result<rules::Caller> AuthenticateApiKey::of_foreign(std::string_view text,
                                                           const base::Error& not_ours) const {
  const auto foreign = rules::foreign_hash_of(text);
  if (!foreign) return base::fail(not_ours);
  const auto known = find_api_key(parts_.keys, parts_.hasher, *foreign);
  // What is not in our form is told so, whether or not it was once an imported key.
  if (!known) return base::fail(not_ours);
  if (auto served = check_served(known->environment); !served) return base::fail(served.error());
  return checked(known);
}

base::Result<rules::Caller> AuthenticateApiKey::checked(
    const std::optional<rules::KnownApiKey>& known) const {
  if (!known) return base::fail(ErrorCode::unauthenticated, "unknown or revoked API key");
  if (known->has_expired(parts_.clock.now()))
    return base::fail(ErrorCode::unauthenticated,
                      rules::api_key_id_text(known->id) + " has expired");
  return rules::Caller(*known);
}

}  // namespace stagedoor::actions
