// Key pairs that sign as an identity provider does: for tests and measurements only.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

#include "base/text.h"
#include "crypto/verify.h"

namespace stagedoor::crypto {

class TestSigner {
 public:
  static TestSigner rsa(unsigned bits = 2048) {
    return TestSigner(EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", std::size_t{bits}));
  }
  static TestSigner p256() {
    return TestSigner(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"));
  }
  static TestSigner p384() {
    return TestSigner(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-384"));
  }
  static TestSigner ed25519() { return TestSigner(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")); }

  EVP_PKEY* key() const { return key_.get(); }

  // In JOSE's form: ECDSA as r || s.
  std::string sign(SignatureAlgorithm algorithm, std::string_view bytes) const {
    auto der = sign_der(algorithm, bytes);
    const auto kind = kind_for(algorithm);
    if (kind != KeyKind::p256 && kind != KeyKind::p384) return der;
    const auto* at = reinterpret_cast<const unsigned char*>(der.data());
    ECDSA_SIG* numbers = d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size()));
    const int size = kind == KeyKind::p256 ? 32 : 48;
    std::string out(2 * static_cast<std::size_t>(size), '\0');
    auto* to = reinterpret_cast<unsigned char*>(out.data());
    BN_bn2binpad(ECDSA_SIG_get0_r(numbers), to, size);
    BN_bn2binpad(ECDSA_SIG_get0_s(numbers), to + size, size);
    ECDSA_SIG_free(numbers);
    return out;
  }

  std::string sign_der(SignatureAlgorithm algorithm, std::string_view bytes) const {
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                          &EVP_MD_CTX_free);
    EVP_PKEY_CTX* terms = nullptr;
    require(EVP_DigestSignInit_ex(context.get(), &terms, digest_name(algorithm), nullptr, nullptr,
                                  key_.get(), nullptr));
    if (algorithm == SignatureAlgorithm::ps256) {
      require(EVP_PKEY_CTX_set_rsa_padding(terms, RSA_PKCS1_PSS_PADDING));
      require(EVP_PKEY_CTX_set_rsa_pss_saltlen(terms, RSA_PSS_SALTLEN_DIGEST));
    }
    const auto* input = reinterpret_cast<const unsigned char*>(bytes.data());
    std::size_t length = 0;
    require(EVP_DigestSign(context.get(), nullptr, &length, input, bytes.size()));
    std::string out(length, '\0');
    auto* to = reinterpret_cast<unsigned char*>(out.data());
    require(EVP_DigestSign(context.get(), to, &length, input, bytes.size()));
    out.resize(length);
    return out;
  }

  // The public key as a JWK (RFC 7517 4), with `more` members put in: ,"kid":"a"
  std::string jwk(std::string_view more = {}) const {
    std::string out;
    if (EVP_PKEY_is_a(key_.get(), "RSA")) {
      out = "{\"kty\":\"RSA\",\"n\":\"" + number(OSSL_PKEY_PARAM_RSA_N) + "\",\"e\":\"" +
            number(OSSL_PKEY_PARAM_RSA_E) + "\"";
    } else if (EVP_PKEY_is_a(key_.get(), "EC")) {
      const int size = (EVP_PKEY_get_bits(key_.get()) + 7) / 8;
      out = std::string("{\"kty\":\"EC\",\"crv\":\"") + (size == 32 ? "P-256" : "P-384") +
            "\",\"x\":\"" + number(OSSL_PKEY_PARAM_EC_PUB_X, size) + "\",\"y\":\"" +
            number(OSSL_PKEY_PARAM_EC_PUB_Y, size) + "\"";
    } else {
      std::string bytes(32, '\0');
      std::size_t length = bytes.size();
      require(EVP_PKEY_get_raw_public_key(key_.get(),
                                          reinterpret_cast<unsigned char*>(bytes.data()), &length));
      out = "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" + base::base64url(bytes) + "\"";
    }
    return out.append(more).append("}");
  }

  // A compact JWS over the two JSON texts.
  std::string token(SignatureAlgorithm algorithm, std::string_view header,
                    std::string_view payload) const {
    auto out = base::base64url(header) + "." + base::base64url(payload);
    const auto signature = sign(algorithm, out);
    return out + "." + base::base64url(signature);
  }

 private:
  explicit TestSigner(EVP_PKEY* key) : key_(key, &EVP_PKEY_free) { require(key != nullptr); }
  static void require(int is_good) {
    if (is_good != 1) std::abort();
  }
  static const char* digest_name(SignatureAlgorithm algorithm) {
    switch (algorithm) {
      case SignatureAlgorithm::rs384:
      case SignatureAlgorithm::es384:
        return "SHA384";
      case SignatureAlgorithm::rs512:
        return "SHA512";
      case SignatureAlgorithm::eddsa:
        return nullptr;
      case SignatureAlgorithm::rs256:
      case SignatureAlgorithm::ps256:
      case SignatureAlgorithm::es256:
        return "SHA256";
    }
    std::abort();
  }
  // size 0: as many bytes as it needs.
  std::string number(const char* name, int size = 0) const {
    BIGNUM* value = nullptr;
    require(EVP_PKEY_get_bn_param(key_.get(), name, &value));
    if (size == 0) size = BN_num_bytes(value);
    std::string bytes(static_cast<std::size_t>(size), '\0');
    BN_bn2binpad(value, reinterpret_cast<unsigned char*>(bytes.data()), size);
    BN_free(value);
    return base::base64url(bytes);
  }

  std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key_;
};

}  // namespace stagedoor::crypto
