// Who may vouch for a person, and by which tokens: the policy of one identity provider.
//
// Rule jwt-algorithm-pinned: a token's `alg` must be one that its issuer's policy lists, and the
// key must be of that algorithm's kind. `none` and HMAC have no name here, so a token can't turn a
// public key into a shared secret, nor do without a signature.
//
// Rule jwt-claims: `iss` is the policy's, to the letter; `aud` is or holds one of its audiences;
// `sub` is not empty; `exp` is there, and at that very second the token has expired; `nbf` and
// `iat` may be at most 60 s ahead of our clock. `typ`, where it stands, is JWT, or at+jwt where the
// policy takes access tokens: what was issued for one use is not taken for another.
//
// Rule jwt-firebase-preset: for a Firebase project (the third seed, "Token Validation", and
// contract 2.2) RS256 and `kid` are required, iss is https://securetoken.google.com/<project>, aud
// the project, and iat and auth_time are in the past.
//
// Used by: actions/verify_identity.h, server/issuers.h
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "crypto/verify.h"
#include "rules/identity.h"
#include "rules/jwt.h"

namespace stagedoor::rules {

inline constexpr std::chrono::seconds jwt_clock_skew_max{60};

struct IssuerPolicy {
  std::string issuer;
  std::vector<std::string> audiences;
  std::vector<crypto::SignatureAlgorithm> algorithms = {crypto::SignatureAlgorithm::rs256};
  // Where the keys are; empty: where the issuer's discovery document says (OpenID Connect
  // Discovery 4), unless the keys are known otherwise.
  std::string jwks_url;
  bool takes_access_tokens = false;  // RFC 9068: typ at+jwt
  bool needs_key_id = false;
  bool needs_issue_times = false;  // iat and auth_time
  bool is_our_own = false;         // its tokens name an account's generation
};

// `project` is a Firebase project id: 6 to 30 of a-z, 0-9 and '-', a letter first.
base::Result<IssuerPolicy> firebase_policy(std::string_view project);

// Whether a policy says enough and nothing odd: `malformed` with a hint that names the member.
base::Result<base::Done> check_policy(const IssuerPolicy& policy);

// The algorithm by which a token of this issuer is to be verified: `token_invalid` where its header
// is not one that the policy takes.
base::Result<crypto::SignatureAlgorithm> check_header(const IssuerPolicy& policy,
                                                      const JwtHeader& header);

// Whom a token of this issuer stands for, once its signature is verified: `token_invalid`, or
// `token_expired` where nothing else is wrong.
base::Result<Identity> check_claims(const IssuerPolicy& policy, const JwtClaims& claims,
                                    base::Instant now);

// What holds of a token at one moment may not at the next: whether it does at `now`.
base::Result<base::Done> check_expiry(const Identity& identity, base::Instant now);

}  // namespace stagedoor::rules
