// Public keys and the signatures that they verify: RSA (RFC 8017), ECDSA (FIPS 186-4), Ed25519
// (RFC 8032), in the forms that JOSE gives them (RFC 7518 3, RFC 8037 3.1).
//
// A key knows its kind, and a kind its algorithms: there is no way to ask an RSA key to check an
// HMAC, or a P-256 key a P-384 signature.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "base/result.h"

namespace stagedoor::crypto {

// The algorithms that have a public key; HMAC and `none` are not among them.
enum class SignatureAlgorithm : unsigned char {
  rs256,
  rs384,
  rs512,
  ps256,
  es256,
  es384,
  eddsa,  // with Ed25519
};
inline constexpr std::size_t signature_algorithms = 7;

// By the exact name of RFC 7518 3.1 and RFC 8037 3.1, in its only spelling.
std::optional<SignatureAlgorithm> parse_signature_algorithm(std::string_view name);
std::string_view name_of(SignatureAlgorithm algorithm);

enum class KeyKind : unsigned char { rsa, p256, p384, ed25519 };
KeyKind kind_for(SignatureAlgorithm algorithm);

// Safe for concurrent use.
class PublicKey {
 public:
  // Big-endian numbers. The modulus has 2048 to 8192 bits and is odd; the exponent is odd, from 3
  // to 2^32 - 1 (a larger one only makes each check slower). `malformed` otherwise.
  static base::Result<PublicKey> rsa(std::string_view modulus, std::string_view exponent);
  // Coordinates of exactly 32 bytes (P-256) or 48 (P-384) of a point on the curve.
  static base::Result<PublicKey> p256(std::string_view x, std::string_view y);
  static base::Result<PublicKey> p384(std::string_view x, std::string_view y);
  // 32 bytes, RFC 8032 5.1.5.
  static base::Result<PublicKey> ed25519(std::string_view bytes);
  // "-----BEGIN PUBLIC KEY-----" (RFC 7468 13), at most 8 KiB, of any of the kinds above.
  static base::Result<PublicKey> from_spki_pem(std::string_view pem);

  PublicKey(PublicKey&&) noexcept;
  PublicKey& operator=(PublicKey&&) noexcept;
  ~PublicKey();

  KeyKind kind() const;

  // Whether `signature` is one of `bytes`. ECDSA in JOSE's form (RFC 7518 3.4): r and s side by
  // side, each as long as the curve's order and in 1 .. order-1. False as well for an algorithm
  // that is not of the key's kind.
  bool verifies(SignatureAlgorithm algorithm, std::string_view bytes,
                std::string_view signature) const;

  // The same for an ECDSA signature with SHA-256 as DER (RFC 3279 2.2.3), by a P-256 key.
  bool verifies_der(std::string_view bytes, std::string_view signature) const;

 private:
  struct State;
  explicit PublicKey(std::unique_ptr<State> state);
  static base::Result<PublicKey> on_curve(KeyKind kind, std::string_view x, std::string_view y);

  std::unique_ptr<State> state_;
};

}  // namespace stagedoor::crypto
