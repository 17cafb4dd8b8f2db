#include "crypto/verify.h"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "crypto/hash.h"

namespace stagedoor::crypto {
namespace {

using base::ErrorCode;

template <auto free>
struct Free {
  template <class T>
  void operator()(T* object) const {
    free(object);
  }
};
using Pkey = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;
using PkeyContext = std::unique_ptr<EVP_PKEY_CTX, Free<EVP_PKEY_CTX_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, Free<EVP_MD_CTX_free>>;
using Number = std::unique_ptr<BIGNUM, Free<BN_free>>;
using Builder = std::unique_ptr<OSSL_PARAM_BLD, Free<OSSL_PARAM_BLD_free>>;
using Params = std::unique_ptr<OSSL_PARAM, Free<OSSL_PARAM_free>>;
using Input = std::unique_ptr<BIO, Free<BIO_free>>;

constexpr int rsa_bits_min = 2048;
constexpr int rsa_bits_max = 8192;
constexpr std::size_t pem_bytes_max = 8192;
constexpr std::size_t idle_contexts_max = 16;

struct Named {
  std::string_view name;
  KeyKind kind;
};
constexpr std::array<Named, signature_algorithms> table = {{{"RS256", KeyKind::rsa},
                                                            {"RS384", KeyKind::rsa},
                                                            {"RS512", KeyKind::rsa},
                                                            {"PS256", KeyKind::rsa},
                                                            {"ES256", KeyKind::p256},
                                                            {"ES384", KeyKind::p384},
                                                            {"EdDSA", KeyKind::ed25519}}};

// The orders of the curves (FIPS 186-4 D.1.2), big-endian.
constexpr std::string_view p256_order(
    "\xff\xff\xff\xff\x00\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff"
    "\xbc\xe6\xfa\xad\xa7\x17\x9e\x84\xf3\xb9\xca\xc2\xfc\x63\x25\x51",
    32);
constexpr std::string_view p384_order(
    "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
    "\xff\xff\xff\xff\xff\xff\xff\xff\xc7\x63\x4d\x81\xf4\x37\x2d\xdf"
    "\x58\x1a\x0d\xb2\x48\xb0\xa7\x7a\xec\xec\x19\x6a\xcc\xc5\x29\x73",
    48);

const unsigned char* octets(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

// OpenSSL keeps a queue of reasons for each thread; nobody reads ours.
template <class T>
T without_reasons(T value) {
  ERR_clear_error();
  return value;
}

std::unexpected<base::Error> unfit(std::string detail) {
  ERR_clear_error();
  return base::fail(ErrorCode::malformed, std::move(detail));
}

Pkey key_from(const char* type, OSSL_PARAM* params) {
  const PkeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* key = nullptr;
  if (!context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
    return nullptr;
  return Pkey(key);
}

// Fetched once: a fetch by name costs more than the hashing.
const EVP_MD* digest_of(SignatureAlgorithm algorithm) {
  static const EVP_MD* const sha256 = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  static const EVP_MD* const sha384 = EVP_MD_fetch(nullptr, "SHA384", nullptr);
  static const EVP_MD* const sha512 = EVP_MD_fetch(nullptr, "SHA512", nullptr);
  if (sha256 == nullptr || sha384 == nullptr || sha512 == nullptr) std::abort();
  switch (algorithm) {
    case SignatureAlgorithm::rs256:
    case SignatureAlgorithm::ps256:
    case SignatureAlgorithm::es256:
      return sha256;
    case SignatureAlgorithm::rs384:
    case SignatureAlgorithm::es384:
      return sha384;
    case SignatureAlgorithm::rs512:
      return sha512;
    case SignatureAlgorithm::eddsa:
      return nullptr;
  }
  std::unreachable();
}

struct Hashed {
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes;
  std::size_t size = 0;
};
Hashed hashed(SignatureAlgorithm algorithm, std::string_view bytes) {
  Hashed out;
  const auto* digest = digest_of(algorithm);
  if (EVP_MD_get_size(digest) == 32) {
    std::ranges::copy(sha256(bytes), out.bytes.begin());
    out.size = 32;
    return out;
  }
  unsigned int size = 0;
  if (EVP_Digest(bytes.data(), bytes.size(), out.bytes.data(), &size, digest, nullptr) != 1)
    std::abort();
  out.size = size;
  return out;
}

// 1 .. order-1, for numbers of the order's length: what "psychic" signatures are not.
bool is_scalar(std::string_view number, std::string_view order) {
  return number < order && number.find_first_not_of('\0') != number.npos;
}

// INTEGER (X.690 8.3): the fewest bytes, with a leading zero where the first bit is set.
void append_der_integer(std::string& out, std::string_view number) {
  number.remove_prefix(number.find_first_not_of('\0'));
  const bool is_padded = (static_cast<unsigned char>(number.front()) & 0x80) != 0;
  out += '\x02';
  out += static_cast<char>(number.size() + (is_padded ? 1 : 0));
  if (is_padded) out += '\0';
  out += number;
}

// r || s as the SEQUENCE that OpenSSL reads. Empty: not a signature on this curve.
std::string der_of(std::string_view signature, std::string_view order) {
  if (signature.size() != 2 * order.size()) return {};
  const auto r = signature.substr(0, order.size());
  const auto s = signature.substr(order.size());
  if (!is_scalar(r, order) || !is_scalar(s, order)) return {};
  std::string integers;
  integers.reserve(2 * order.size() + 8);
  append_der_integer(integers, r);
  append_der_integer(integers, s);
  // At most 2 * (48 + 3) = 102 bytes: the length's short form (X.690 8.1.3.4).
  std::string out = "\x30";
  out += static_cast<char>(integers.size());
  out += integers;
  return out;
}

bool is_fit_rsa(const EVP_PKEY* key) {
  BIGNUM* modulus = nullptr;
  BIGNUM* exponent = nullptr;
  const bool both = EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &modulus) == 1 &&
                    EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &exponent) == 1;
  const Number n(modulus), e(exponent);
  if (!both) return false;
  const int bits = BN_num_bits(modulus);
  return bits >= rsa_bits_min && bits <= rsa_bits_max && BN_is_odd(modulus) &&
         BN_is_odd(exponent) && !BN_is_one(exponent) && BN_num_bits(exponent) <= 32;
}

std::optional<KeyKind> kind_of(const EVP_PKEY* key) {
  if (EVP_PKEY_is_a(key, "ED25519")) return KeyKind::ed25519;
  if (EVP_PKEY_is_a(key, "RSA"))
    return is_fit_rsa(key) ? std::optional(KeyKind::rsa) : std::nullopt;
  if (!EVP_PKEY_is_a(key, "EC")) return std::nullopt;
  char group[32] = {};
  std::size_t length = 0;
  if (EVP_PKEY_get_group_name(key, group, sizeof group, &length) != 1) return std::nullopt;
  const std::string_view name(group, length);
  if (name == "prime256v1" || name == "P-256") return KeyKind::p256;
  if (name == "secp384r1" || name == "P-384") return KeyKind::p384;
  return std::nullopt;
}

PkeyContext context_for(EVP_PKEY* key, SignatureAlgorithm algorithm) {
  PkeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
  if (!context || EVP_PKEY_verify_init(context.get()) != 1 ||
      EVP_PKEY_CTX_set_signature_md(context.get(), digest_of(algorithm)) != 1)
    return nullptr;
  if (algorithm == SignatureAlgorithm::ps256) {
    // RFC 7518 3.5: MGF1 with the same hash, and a salt of its length, exactly.
    if (EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_PSS_PADDING) != 1 ||
        EVP_PKEY_CTX_set_rsa_mgf1_md(context.get(), digest_of(algorithm)) != 1 ||
        EVP_PKEY_CTX_set_rsa_pss_saltlen(context.get(), RSA_PSS_SALTLEN_DIGEST) != 1)
      return nullptr;
  }
  return context;
}

}  // namespace

std::optional<SignatureAlgorithm> parse_signature_algorithm(std::string_view name) {
  const auto found = std::ranges::find(table, name, &Named::name);
  if (found == table.end()) return std::nullopt;
  return static_cast<SignatureAlgorithm>(found - table.begin());
}
std::string_view name_of(SignatureAlgorithm algorithm) {
  return table[static_cast<std::size_t>(algorithm)].name;
}
KeyKind kind_for(SignatureAlgorithm algorithm) {
  return table[static_cast<std::size_t>(algorithm)].kind;
}

// Making a context ready costs a fifth of an RSA verification, so a key keeps those that are idle,
// by algorithm; a context serves one thread at a time.
struct PublicKey::State {
  Pkey key;
  KeyKind kind;
  std::mutex mutex;
  std::array<std::vector<PkeyContext>, signature_algorithms> idle;

  PkeyContext take(SignatureAlgorithm algorithm) {
    {
      const std::lock_guard lock(mutex);
      auto& some = idle[static_cast<std::size_t>(algorithm)];
      if (!some.empty()) {
        auto context = std::move(some.back());
        some.pop_back();
        return context;
      }
    }
    return context_for(key.get(), algorithm);
  }
  void give_back(SignatureAlgorithm algorithm, PkeyContext context) {
    const std::lock_guard lock(mutex);
    auto& some = idle[static_cast<std::size_t>(algorithm)];
    if (some.size() < idle_contexts_max) some.push_back(std::move(context));
  }

  bool verifies_hashed(SignatureAlgorithm algorithm, std::string_view bytes,
                       std::string_view signature) {
    auto context = take(algorithm);
    if (!context) return without_reasons(false);
    const auto digest = hashed(algorithm, bytes);
    const int answer = EVP_PKEY_verify(context.get(), octets(signature), signature.size(),
                                       digest.bytes.data(), digest.size);
    give_back(algorithm, std::move(context));
    return answer == 1 || without_reasons(false);
  }
  bool verifies_ed25519(std::string_view bytes, std::string_view signature) const {
    const DigestContext context(EVP_MD_CTX_new());
    const bool good =
        signature.size() == 64 && context &&
        EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key.get()) == 1 &&
        EVP_DigestVerify(context.get(), octets(signature), signature.size(), octets(bytes),
                         bytes.size()) == 1;
    return good || without_reasons(false);
  }
};

PublicKey::PublicKey(std::unique_ptr<State> state) : state_(std::move(state)) {}
PublicKey::PublicKey(PublicKey&&) noexcept = default;
PublicKey& PublicKey::operator=(PublicKey&&) noexcept = default;
PublicKey::~PublicKey() = default;

KeyKind PublicKey::kind() const {
  return state_->kind;
}

base::Result<PublicKey> PublicKey::rsa(std::string_view modulus, std::string_view exponent) {
  // Leading zeros are not counted, but whoever sends a megabyte of them is not read.
  if (modulus.size() > rsa_bits_max / 8 + 8 || exponent.size() > 16)
    return unfit("RSA key out of bounds");
  const Number n(BN_bin2bn(octets(modulus), static_cast<int>(modulus.size()), nullptr));
  const Number e(BN_bin2bn(octets(exponent), static_cast<int>(exponent.size()), nullptr));
  const Builder builder(OSSL_PARAM_BLD_new());
  if (!n || !e || !builder ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) != 1 ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) != 1)
    return unfit("RSA key that can't be read");
  const Params params(OSSL_PARAM_BLD_to_param(builder.get()));
  auto key = params ? key_from("RSA", params.get()) : nullptr;
  if (!key || !is_fit_rsa(key.get())) return unfit("RSA key out of bounds");
  auto state = std::make_unique<State>();
  state->key = std::move(key);
  state->kind = KeyKind::rsa;
  return PublicKey(std::move(state));
}

base::Result<PublicKey> PublicKey::on_curve(KeyKind kind, std::string_view x, std::string_view y) {
  const bool is_p256 = kind == KeyKind::p256;
  const std::size_t size = is_p256 ? 32 : 48;
  if (x.size() != size || y.size() != size) return unfit("EC coordinate of a wrong length");
  // SEC 1 2.3.3, uncompressed; reading it checks that the point is on the curve.
  std::string point = "\x04";
  point.append(x).append(y);
  std::string group = is_p256 ? "P-256" : "P-384";
  OSSL_PARAM params[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group.data(), 0),
      OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()),
      OSSL_PARAM_construct_end()};
  auto key = key_from("EC", params);
  if (!key) return unfit("EC point that is not on its curve");
  auto state = std::make_unique<State>();
  state->key = std::move(key);
  state->kind = kind;
  return PublicKey(std::move(state));
}

base::Result<PublicKey> PublicKey::p256(std::string_view x, std::string_view y) {
  return on_curve(KeyKind::p256, x, y);
}
base::Result<PublicKey> PublicKey::p384(std::string_view x, std::string_view y) {
  return on_curve(KeyKind::p384, x, y);
}

base::Result<PublicKey> PublicKey::ed25519(std::string_view bytes) {
  if (bytes.size() != 32) return unfit("Ed25519 key of a wrong length");
  Pkey key(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, octets(bytes), bytes.size()));
  if (!key) return unfit("Ed25519 key that can't be read");
  auto state = std::make_unique<State>();
  state->key = std::move(key);
  state->kind = KeyKind::ed25519;
  return PublicKey(std::move(state));
}

base::Result<PublicKey> PublicKey::from_spki_pem(std::string_view pem) {
  if (pem.empty() || pem.size() > pem_bytes_max) return unfit("PEM of a wrong size");
  const Input input(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  // A password is never asked for: a public key has none.
  const auto no_password = [](char*, int, int, void*) { return -1; };
  Pkey key(input ? PEM_read_bio_PUBKEY(input.get(), nullptr, no_password, nullptr) : nullptr);
  const auto kind = key ? kind_of(key.get()) : std::nullopt;
  if (!kind) return unfit("PEM without a public key of a kind that is used here");
  auto state = std::make_unique<State>();
  state->key = std::move(key);
  state->kind = *kind;
  return PublicKey(std::move(state));
}

bool PublicKey::verifies(SignatureAlgorithm algorithm, std::string_view bytes,
                         std::string_view signature) const {
  if (kind_for(algorithm) != state_->kind) return false;
  switch (state_->kind) {
    case KeyKind::rsa:
      return state_->verifies_hashed(algorithm, bytes, signature);
    case KeyKind::ed25519:
      return state_->verifies_ed25519(bytes, signature);
    case KeyKind::p256:
    case KeyKind::p384: {
      const auto der = der_of(signature, state_->kind == KeyKind::p256 ? p256_order : p384_order);
      return !der.empty() && state_->verifies_hashed(algorithm, bytes, der);
    }
  }
  std::unreachable();
}

bool PublicKey::verifies_der(std::string_view bytes, std::string_view signature) const {
  return state_->kind == KeyKind::p256 &&
         state_->verifies_hashed(SignatureAlgorithm::es256, bytes, signature);
}

}  // namespace stagedoor::crypto
