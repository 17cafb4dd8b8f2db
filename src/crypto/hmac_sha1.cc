// SPDX-License-Identifier: Apache-2.0

#include "crypto/hmac_sha1.h"

// As in hash.cc: the low-level calls are the ones that neither fetch nor allocate.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <algorithm>

namespace stagedoor::crypto {

struct HmacSha1Key::State {
  SHA_CTX inner, outer;
  ~State() { OPENSSL_cleanse(this, sizeof *this); }
};

HmacSha1Key::HmacSha1Key(const base::Secret& key) : state_(std::make_unique<State>()) {
  // RFC 2104 2: a key longer than the block is hashed first, then padded with zeros.
  std::array<std::uint8_t, SHA_CBLOCK> block{};
  const auto text = key.expose();
  if (text.size() > block.size()) {
    SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), block.data());
  } else {
    std::copy(text.begin(), text.end(), block.begin());
  }
  for (auto& byte : block) byte ^= 0x36;
  SHA1_Init(&state_->inner);
  SHA1_Update(&state_->inner, block.data(), block.size());
  for (auto& byte : block) byte ^= 0x36 ^ 0x5c;
  SHA1_Init(&state_->outer);
  SHA1_Update(&state_->outer, block.data(), block.size());
  OPENSSL_cleanse(block.data(), block.size());
}

HmacSha1Key::HmacSha1Key(HmacSha1Key&&) noexcept = default;
HmacSha1Key& HmacSha1Key::operator=(HmacSha1Key&&) noexcept = default;
HmacSha1Key::~HmacSha1Key() = default;

Sha1Digest HmacSha1Key::mac(std::string_view bytes, std::string_view more) const {
  Sha1Digest digest;
  SHA_CTX context = state_->inner;
  SHA1_Update(&context, bytes.data(), bytes.size());
  SHA1_Update(&context, more.data(), more.size());
  SHA1_Final(digest.data(), &context);
  context = state_->outer;
  SHA1_Update(&context, digest.data(), digest.size());
  SHA1_Final(digest.data(), &context);
  OPENSSL_cleanse(&context, sizeof context);
  return digest;
}

}  // namespace stagedoor::crypto
