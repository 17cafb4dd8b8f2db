// A person's token: a JSON Web Token (RFC 7519) as a compact JWS (RFC 7515 7.1), read strictly.
//
// Nothing here says that a token is genuine; actions/verify_identity.h does, with the issuer's
// policy (rules/issuer.h) and its keys (rules/jwk_set.h).
//
// Rule jwt-compact-only: three segments, each base64url in its only spelling, at most 8 KiB in all,
// two JSON objects without a member named twice: two readers of one token must not see two things,
// and one token must not have two texts.
//
// Rule jwt-embedded-keys-refused: a token that brings its own key, or an address where to fetch one
// (`jwk`, `jku`, `x5u`, `x5c`), is refused, and what it brings is never read: the keys are the
// issuer's, whatever the token says.
//
// Rule jwt-extensions-refused: `crit` and `b64` ask for what we do not do, `cty` for a token
// within the token, so they are refused and not passed over.
//
// Rule jwt-whole-times: exp, nbf, iat and auth_time are whole seconds from 1970 to 9999: what is
// negative, fractional, huge or a text would be read differently by different readers.
//
// Used by: actions/verify_identity.h
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "crypto/verify.h"

namespace stagedoor::rules {

inline constexpr std::size_t jwt_bytes_max = 8192;
inline constexpr std::size_t jwt_key_id_bytes_max = 255;
inline constexpr std::size_t jwt_subject_bytes_max = 255;  // OpenID Connect Core 2
inline constexpr std::size_t jwt_email_bytes_max = 320;
inline constexpr std::size_t jwt_audiences_max = 64;

// RFC 7515 4.1. Members that are not here are not read.
struct JwtHeader {
  std::string algorithm;              // alg, as it stands
  std::optional<std::string> key_id;  // kid
  std::string type;                   // typ; empty: none was said
};

// RFC 7519 4.1 and OpenID Connect Core 2. Members that are not here are not read.
struct JwtClaims {
  std::string issuer;                  // iss; empty: none was said, and so on
  std::string subject;                 // sub
  std::vector<std::string> audiences;  // aud, one text or several
  std::optional<std::int64_t> expires_at, not_before, issued_at, authenticated_at;  // Unix seconds
  std::string email;
  bool email_is_verified = false;
  std::int64_t generation = 0;    // gen, in tokens of our own
  bool is_session_token = false;  // says of itself that it is one (rules/session_token.h)
};

// As its text says, and not verified.
struct Jwt {
  JwtHeader header;
  JwtClaims claims;
  std::size_t signed_bytes = 0;  // the first so many bytes of the text are what is signed
  std::string signature;
};

// Whether a text has the compact form's two dots (RFC 7515 7.1) and is so read as a person's token;
// all others are read as API keys.
bool has_jwt_form(std::string_view text);

// `token_invalid`, with a hint that says what is wrong with the text.
base::Result<Jwt> read_jwt(std::string_view token);

}  // namespace stagedoor::rules
