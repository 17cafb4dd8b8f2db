// Turns a person's JWT into an Identity, or refuses it.
//
// The unverified issuer picks the policy, the policy and the unverified `kid` pick the key; what is
// believed is what that key has signed.
//
// Rule jwt-expired-only-if-genuine: `token_expired` is said only of a token whose signature has
// proved genuine and in which nothing else is wrong; of a forgery it would tell that the forger was
// near.
//
// Rule jwt-cache-rechecked: a token that was verified once is known by a hash of its text; at every
// further use its expiry and its issuer's keys are looked at again: when those have changed,
// it is verified anew. A verification that was under way while they changed counts for the old
// ones.
//
// Rule jwt-no-session-token: a session token opens a session; where a person's token is read it is
// refused, and told so.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "actions/verified_tokens.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "rules/identity.h"
#include "rules/issuer.h"
#include "rules/issuer_keys.h"

namespace stagedoor::actions {

// Safe for concurrent use.
class VerifyIdentity : public rules::IdentityVerifier {
 public:
  struct Issuer {
    rules::IssuerPolicy policy;
    rules::IssuerKeys& keys;
  };
  struct Options {
    std::size_t remembered_max = 65'536;
  };
  // Of two issuers of one name the first counts.
  VerifyIdentity(std::vector<Issuer> issuers, base::Random& random, Options options);

  std::optional<base::Result<rules::Identity>> at_once(std::string_view token,
                                                       base::Instant now) override;
  // `token_invalid`, `token_expired`, `unavailable`.
  base::Result<rules::Identity> verify(std::string_view token, base::Instant now) override;

 private:
  // A token as far as it can be judged without keys.
  struct Claimed {
    rules::Jwt jwt;
    std::size_t issuer;
    crypto::SignatureAlgorithm algorithm;
  };
  base::Result<Claimed> read(std::string_view token) const;
  std::optional<base::Result<rules::Identity>> remembered(std::string_view token,
                                                          base::Instant now);

  std::vector<Issuer> issuers_;
  std::map<std::string, std::size_t, std::less<>> by_name_;
  VerifiedTokens verified_;
};

}  // namespace stagedoor::actions
