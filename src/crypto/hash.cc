#include "crypto/hash.h"

// The low-level digest calls are deprecated in OpenSSL 3, and the only ones that do not fetch and
// allocate on each use.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/crypto.h>
#include <openssl/sha.h>

namespace stagedoor::crypto {

Digest sha256(std::string_view bytes) {
  SHA256_CTX context;
  SHA256_Init(&context);
  SHA256_Update(&context, bytes.data(), bytes.size());
  Digest digest;
  SHA256_Final(digest.data(), &context);
  return digest;
}

struct HmacKey::State {
  SHA256_CTX inner, outer;
  ~State() { OPENSSL_cleanse(this, sizeof *this); }
};

HmacKey::HmacKey(const base::Secret& key) : state_(std::make_unique<State>()) {
  // RFC 2104 2: a key longer than the block is hashed first, then padded with zeros.
  std::array<std::uint8_t, SHA256_CBLOCK> block{};
  const auto text = key.expose();
  if (text.size() > block.size()) {
    const auto digest = sha256(text);
    std::copy(digest.begin(), digest.end(), block.begin());
  } else {
    std::copy(text.begin(), text.end(), block.begin());
  }
  for (auto& byte : block) byte ^= 0x36;
  SHA256_Init(&state_->inner);
  SHA256_Update(&state_->inner, block.data(), block.size());
  for (auto& byte : block) byte ^= 0x36 ^ 0x5c;
  SHA256_Init(&state_->outer);
  SHA256_Update(&state_->outer, block.data(), block.size());
  OPENSSL_cleanse(block.data(), block.size());
}

HmacKey::HmacKey(HmacKey&&) noexcept = default;
HmacKey& HmacKey::operator=(HmacKey&&) noexcept = default;
HmacKey::~HmacKey() = default;

Digest HmacKey::mac(std::string_view bytes) const {
  Digest digest;
  SHA256_CTX context = state_->inner;
  SHA256_Update(&context, bytes.data(), bytes.size());
  SHA256_Final(digest.data(), &context);
  context = state_->outer;
  SHA256_Update(&context, digest.data(), digest.size());
  SHA256_Final(digest.data(), &context);
  OPENSSL_cleanse(&context, sizeof context);
  return digest;
}

bool equal(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace stagedoor::crypto
