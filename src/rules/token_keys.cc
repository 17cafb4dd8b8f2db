#include "rules/token_keys.h"

#include "base/text.h"
#include "crypto/hash.h"
#include "crypto/sign.h"
#include "rules/session_token.h"

namespace stagedoor::rules {
namespace {

base::Secret derived(const base::Secret& secret, std::string_view use) {
  return base::Secret(base::as_text(crypto::HmacKey(secret).mac(use)));
}

// Public, and the same for the same secret: eight hex digits that say which key, not what it is.
std::string key_id(const base::Secret& secret, std::string_view algorithm) {
  const auto digest = crypto::HmacKey(secret).mac("kid " + std::string(algorithm));
  return base::hex(std::span(digest).first(4));
}

std::string header_segment(std::string_view algorithm, std::string_view id) {
  return base::base64url("{\"alg\":\"" + std::string(algorithm) + "\",\"typ\":\"JWT\",\"kid\":\"" +
                         std::string(id) + "\"}");
}

std::unexpected<base::Error> not_ours(std::string detail) {
  return base::fail(base::ErrorCode::unauthenticated, std::move(detail));
}

}  // namespace

struct TokenKeys::Key {
  TokenAlgorithm algorithm;
  std::string header;  // as the token's first segment
  crypto::HmacKey hmac;
  crypto::Ed25519Key ed25519;

  std::string signature_of(std::string_view input) const {
    if (algorithm == TokenAlgorithm::eddsa) return ed25519.sign(input);
    return std::string(base::as_text(hmac.mac(input)));
  }
  bool believes(std::string_view input, std::string_view signature) const {
    if (algorithm == TokenAlgorithm::eddsa) return ed25519.verifies(input, signature);
    return crypto::equal(base::as_text(hmac.mac(input)), signature);
  }
};

TokenKeys::TokenKeys(std::span<const base::Secret> secrets, TokenAlgorithm signs_with) {
  const auto add = [&](const base::Secret& secret, TokenAlgorithm algorithm,
                       std::string_view name) {
    keys_.push_back(
        std::make_unique<Key>(Key{.algorithm = algorithm,
                                  .header = header_segment(name, key_id(secret, name)),
                                  .hmac = crypto::HmacKey(derived(secret, "sign HS256")),
                                  .ed25519 = crypto::Ed25519Key(derived(secret, "sign EdDSA"))}));
  };
  for (const auto& secret : secrets) {
    add(secret, TokenAlgorithm::hs256, "HS256");
    add(secret, TokenAlgorithm::eddsa, "EdDSA");
  }
  signer_ = keys_[signs_with == TokenAlgorithm::hs256 ? 0 : 1].get();
}

TokenKeys::TokenKeys(TokenKeys&&) noexcept = default;
TokenKeys::~TokenKeys() = default;

std::string TokenKeys::sign(std::string_view payload) const {
  std::string token;
  token.reserve(signer_->header.size() + payload.size() * 4 / 3 + 96);
  token += signer_->header;
  token += '.';
  base::append_base64url(token, payload);
  const auto signature = signer_->signature_of(token);
  token += '.';
  base::append_base64url(token, signature);
  return token;
}

base::Result<std::string> TokenKeys::verify(std::string_view token) const {
  if (token.size() > session_token_bytes_max) return not_ours("session token too long");
  // RFC 7515 5.2 step 1: exactly two dots.
  const auto first = token.find('.');
  const auto second = first == token.npos ? token.npos : token.find('.', first + 1);
  if (second == token.npos || token.find('.', second + 1) != token.npos)
    return not_ours("session token is not three segments");
  const auto header = token.substr(0, first);
  for (const auto& key : keys_) {
    if (key->header != header) continue;
    // Steps 2 to 8: the signature over the two first segments as they stand.
    const auto signature = base::from_base64url(token.substr(second + 1));
    if (!signature || !key->believes(token.substr(0, second), *signature))
      return not_ours("session token with a signature that fails");
    auto payload = base::from_base64url(token.substr(first + 1, second - first - 1));
    if (!payload) return not_ours("session token with a payload that is not base64url");
    return *std::move(payload);
  }
  return not_ours("session token with a header of nobody we know");
}

}  // namespace stagedoor::rules
