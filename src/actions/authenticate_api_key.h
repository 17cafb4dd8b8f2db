// Turns the text of an API key into a Caller, or refuses it.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <optional>
#include <string_view>

#include "base/clock.h"
#include "base/network.h"
#include "base/result.h"
#include "rules/api_key.h"
#include "rules/caller.h"

namespace stagedoor::actions {

// Safe for concurrent use.
class AuthenticateApiKey {
 public:
  struct Parts {
    rules::ApiKeyStore& keys;
    const rules::ApiKeyHasher& hasher;
    const base::Clock& clock;
  };
  struct Options {
    bool accepts_live = true;
    bool accepts_test = true;
  };
  AuthenticateApiKey(Parts parts, Options options) : parts_(parts), options_(options) {}

  // `unauthenticated` and `mistyped_key` by the text alone; `wrong_environment` where this server
  // takes no keys of that prefix;
  // `unauthenticated` without a hint for unknown, revoked, frozen and expired keys alike;
  // `forbidden` for a good key that may not be used from the client's network.
  base::Result<rules::Caller> operator()(std::string_view text, const base::Address& client) const;
  // The same without the question of the network: whose key it is.
  base::Result<rules::Caller> whose(std::string_view text) const;
  // The same for a key that is frozen, revoked or expired too: for a holder who takes it out of use
  // (rule api-key-self-revoke), and for nothing else.
  base::Result<rules::Caller> holder_of(std::string_view text) const;
  // However it stands, and wherever it is served: for what nobody but its owner learns of it.
  std::optional<rules::KnownApiKey> look_up(std::string_view text) const;
  // The same for a key that is known without its text, by its record.
  base::Result<rules::Caller> of_known(const rules::KnownApiKey& known) const;
  // The other half: `forbidden`.
  static base::Result<base::Done> check_network(const rules::Caller& caller,
                                                const base::Address& client);

 private:
  base::Result<base::Done> check_served(rules::Environment environment) const;
  base::Result<rules::Caller> of_foreign(std::string_view text, const base::Error& not_ours) const;
  base::Result<rules::Caller> checked(const std::optional<rules::KnownApiKey>& known) const;

  Parts parts_;
  Options options_;
};

}  // namespace stagedoor::actions
