#include "rules/issuer.h"

#include <algorithm>
#include <cctype>
#include <utility>

namespace stagedoor::rules {
namespace {

using base::ErrorCode;

constexpr std::size_t text_bytes_max = 255;
constexpr std::size_t audiences_max = 32;

std::unexpected<base::Error> refused(std::string_view detail, std::string hint) {
  return base::fail(ErrorCode::token_invalid, "JWT: " + std::string(detail), std::move(hint));
}

std::unexpected<base::Error> unfit(std::string hint) {
  return base::fail(ErrorCode::malformed, "issuer policy", std::move(hint));
}

bool same_letters(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) {
    return std::tolower(static_cast<unsigned char>(x)) ==
           std::tolower(static_cast<unsigned char>(y));
  });
}

// RFC 7519 5.1 and RFC 9068 2.1; media types know no upper and lower case (RFC 2045 5.1).
bool is_fit_type(const IssuerPolicy& policy, std::string_view type) {
  if (type.empty() || same_letters(type, "JWT")) return true;
  return policy.takes_access_tokens &&
         (same_letters(type, "at+jwt") || same_letters(type, "application/at+jwt"));
}

bool is_ahead(std::optional<std::int64_t> seconds, base::Instant now) {
  return seconds && base::from_unix_seconds(*seconds) > now + jwt_clock_skew_max;
}

bool is_plain_text(std::string_view text) {
  return !text.empty() && text.size() <= text_bytes_max &&
         std::ranges::all_of(text, [](char c) { return c > 0x20 && c < 0x7f; });
}

}  // namespace

base::Result<IssuerPolicy> firebase_policy(std::string_view project) {
  const auto is_fit = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  };
  if (project.size() < 6 || project.size() > 30 || project.front() < 'a' || project.front() > 'z' ||
      !std::ranges::all_of(project, is_fit))
    return unfit("project must be a Firebase project id: 6 to 30 of a-z, 0-9 and -");
  IssuerPolicy policy;
  policy.issuer = "https://securetoken.google.com/" + std::string(project);
  policy.audiences = {std::string(project)};
  policy.algorithms = {crypto::SignatureAlgorithm::rs256};
  policy.jwks_url =
      "https://www.googleapis.com/service_accounts/v1/jwk/securetoken@system.gserviceaccount.com";
  policy.needs_key_id = true;
  policy.needs_issue_times = true;
  return policy;
}

base::Result<base::Done> check_policy(const IssuerPolicy& policy) {
  if (!is_plain_text(policy.issuer))
    return unfit("issuer must be a text of 1 to 255 characters without spaces");
  if (policy.audiences.empty() || policy.audiences.size() > audiences_max ||
      !std::ranges::all_of(policy.audiences, is_plain_text))
    return unfit("audiences must be 1 to 32 texts: whom the issuer's tokens are for");
  if (policy.algorithms.empty()) return unfit("algorithms must name at least one");
  return base::Done{};
}

base::Result<crypto::SignatureAlgorithm> check_header(const IssuerPolicy& policy,
                                                      const JwtHeader& header) {
  const auto algorithm = crypto::parse_signature_algorithm(header.algorithm);
  if (!algorithm || std::ranges::find(policy.algorithms, *algorithm) == policy.algorithms.end())
    return refused("an alg that is not its issuer's",
                   "The token is signed with an algorithm that is not accepted of its issuer.");
  if (!is_fit_type(policy, header.type))
    return refused("a typ for another use",
                   "The token's typ says that it is for another use; send the ID token.");
  if (policy.needs_key_id && header.key_id.value_or("").empty())
    return refused("no kid", "The token's header names no kid, which its issuer always does.");
  return *algorithm;
}

base::Result<Identity> check_claims(const IssuerPolicy& policy, const JwtClaims& claims,
                                    base::Instant now) {
  if (claims.issuer != policy.issuer)
    return refused("another iss", "The token's issuer is not one that this server accepts.");
  const auto is_for_us = [&](const std::string& audience) {
    return std::ranges::find(policy.audiences, audience) != policy.audiences.end();
  };
  if (std::ranges::none_of(claims.audiences, is_for_us))
    return refused("an aud that is not ours",
                   "The token was issued for another audience (aud) than this server.");
  if (claims.subject.empty())
    return refused("no sub", "The token does not say whom it is about (sub).");
  if (!claims.expires_at) return refused("no exp", "The token has no exp.");
  if (policy.needs_issue_times && (!claims.issued_at || !claims.authenticated_at))
    return refused("no iat or no auth_time", "The token has no iat or no auth_time.");
  if (is_ahead(claims.not_before, now) || is_ahead(claims.issued_at, now) ||
      (policy.needs_issue_times && is_ahead(claims.authenticated_at, now)))
    return refused("not valid yet",
                   "The token is not valid yet: its nbf, iat or auth_time lies in the future.");
  Identity identity;
  identity.issuer = claims.issuer;
  identity.subject = claims.subject;
  identity.email = claims.email;
  identity.email_is_verified = !claims.email.empty() && claims.email_is_verified;
  identity.issued_at = base::from_unix_seconds(claims.issued_at.value_or(0));
  identity.expires_at = base::from_unix_seconds(*claims.expires_at);
  identity.generation = policy.is_our_own ? claims.generation : 0;
  if (auto still = check_expiry(identity, now); !still) return base::fail(still.error());
  return identity;
}

base::Result<base::Done> check_expiry(const Identity& identity, base::Instant now) {
  if (now < identity.expires_at) return base::Done{};
  return base::fail(ErrorCode::token_expired, "JWT: expired",
                    "The token has expired; sign in again or refresh it.");
}

}  // namespace stagedoor::rules
