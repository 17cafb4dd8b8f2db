// Our own JWTs for people, and the keys that sign them.
//
// Rule people-keys-public: people's tokens are signed with EdDSA, and the public keys are there for
// everybody at /.well-known/jwks.json, named by their RFC 7638 thumbprints; so others can check
// our tokens without asking us, and nobody who can check one can make one.
//
// Rule people-token-lifetime: an access token lasts one hour (the third seed's). It names its
// account's generation (gen), so a log-out everywhere ends it before that.
//
// Used by: actions/log_in.h; checked by actions/verify_identity.h
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <chrono>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "base/secret.h"
#include "crypto/sign.h"
#include "rules/account.h"

namespace stagedoor::rules {

inline constexpr std::chrono::hours access_token_lifetime{1};
inline constexpr std::string_view people_audience = "stagedoor";

// Safe for concurrent use.
class PeopleKeys {
 public:
  // `seeds` are 32 bytes each (rules/server_secret.h), newest first, at least one; the first signs.
  PeopleKeys(std::span<const base::Secret> seeds, std::string issuer);

  const std::string& issuer() const { return issuer_; }

  // RFC 7515 7.1, with the claims iss, sub, aud, iat, exp, jti, email, email_verified and gen.
  base::Secret access_token(const Account& account, base::Random& random, base::Instant now) const;

  // The public keys as a JWK Set (RFC 7517 5, RFC 8037 2), the same text each time.
  const std::string& jwk_set_json() const { return jwk_set_json_; }

 private:
  std::string issuer_;
  std::vector<crypto::Ed25519Key> keys_;
  std::string header_;  // the first segment of what we sign
  std::string jwk_set_json_;
};

}  // namespace stagedoor::rules
