// Turns the text of an API key into a Caller, or refuses it.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <string_view>

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
  };
  struct Options {
    bool accepts_live = true;
    bool accepts_test = true;
  };
  AuthenticateApiKey(Parts parts, Options options) : parts_(parts), options_(options) {}

  // `unauthenticated` and `mistyped_key` by the text alone; `wrong_environment` where this server
  // takes no keys of that prefix; `unauthenticated` without a hint for unknown and revoked keys
  // alike.
  base::Result<rules::Caller> operator()(std::string_view text) const;

 private:
  Parts parts_;
  Options options_;
};

}  // namespace stagedoor::actions
