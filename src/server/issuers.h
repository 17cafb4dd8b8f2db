// The issuers that the settings name, their keys, and what verifies people's tokens with them.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <memory>
#include <vector>

#include "actions/verify_identity.h"
#include "server/config.h"
#include "store/fetched_jwk_sets.h"
#include "store/web_fetch.h"

namespace stagedoor::server {

// Safe for concurrent use.
class Issuers {
 public:
  // `own` are issuers whose keys are known already, such as our own accounts; they come first.
  // They and the settings must hold as long as this.
  Issuers(const Config& config, const base::Clock& clock, base::Random& random, base::Log& log,
          std::vector<actions::VerifyIdentity::Issuer> own = {});

  rules::IdentityVerifier& verifier() { return *verify_; }

 private:
  store::WebFetch fetch_;
  store::WaitingForIssuers waiting_;
  std::vector<std::unique_ptr<store::FetchedJwkSet>> sets_;
  std::unique_ptr<actions::VerifyIdentity> verify_;
};

}  // namespace stagedoor::server
