#include "rules/people_keys.h"

#include "base/json.h"
#include "base/text.h"
#include "crypto/hash.h"

namespace stagedoor::rules {
namespace {

// RFC 7638 3 with the members of RFC 8037 2 that it names: crv, kty, x, in this order.
std::string thumbprint(std::string_view x) {
  const auto canonical = R"({"crv":"Ed25519","kty":"OKP","x":")" + std::string(x) + "\"}";
  return base::base64url(base::as_text(crypto::sha256(canonical)));
}

}  // namespace

PeopleKeys::PeopleKeys(std::span<const base::Secret> seeds, std::string issuer)
    : issuer_(std::move(issuer)) {
  jwk_set_json_ = "{\"keys\":[";
  for (const auto& seed : seeds) {
    keys_.emplace_back(seed);
    const auto x = base::base64url(keys_.back().public_key());
    const auto kid = thumbprint(x);
    if (keys_.size() == 1)
      header_ = base::base64url(R"({"alg":"EdDSA","typ":"JWT","kid":")" + kid + "\"}");
    if (keys_.size() > 1) jwk_set_json_ += ',';
    jwk_set_json_ += R"({"kty":"OKP","crv":"Ed25519","alg":"EdDSA","use":"sig","kid":")" + kid +
                     R"(","x":")" + x + "\"}";
  }
  jwk_set_json_ += "]}";
}

base::Secret PeopleKeys::access_token(const Account& account, base::Random& random,
                                      base::Instant now) const {
  std::string claims = "{\"iss\":";
  base::append_json_string(claims, issuer_);
  claims += ",\"sub\":";
  base::append_json_string(claims, account.id);
  claims += ",\"aud\":";
  base::append_json_string(claims, people_audience);
  claims += ",\"iat\":" + std::to_string(base::unix_seconds(now));
  claims += ",\"exp\":" + std::to_string(base::unix_seconds(now + access_token_lifetime));
  claims += ",\"jti\":\"" + base::random_base62(random, 22) + "\",\"email\":";
  base::append_json_string(claims, account.email);
  claims += account.email_is_verified ? ",\"email_verified\":true" : ",\"email_verified\":false";
  claims += ",\"gen\":" + std::to_string(account.generation) + "}";
  std::string token = header_ + ".";
  base::append_base64url(token, claims);
  const auto signature = keys_.front().sign(token);
  token += '.';
  base::append_base64url(token, signature);
  return base::Secret(std::move(token));
}

}  // namespace stagedoor::rules
