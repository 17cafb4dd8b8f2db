#include "crypto/seal.h"

#include <openssl/evp.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <memory>

namespace stagedoor::crypto {
namespace {

constexpr std::size_t nonce_bytes = 12, tag_bytes = 16;

struct Free {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_CIPHER_CTX, Free>;

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* bytes_of(std::string& text) {
  return reinterpret_cast<unsigned char*>(text.data());
}
int length_of(std::string_view text) {
  return static_cast<int>(text.size());
}

// OpenSSL has no reason to fail here but a lack of memory.
void must(bool done) {
  if (!done) std::abort();
}

}  // namespace

SealingKey::SealingKey(const base::Secret& key) : key_(key.expose()) {
  must(key.expose().size() == sealing_key_bytes);
}

std::string SealingKey::seal(std::string_view text, std::string_view context,
                             base::Random& random) const {
  std::array<std::uint8_t, nonce_bytes> nonce;
  random.fill(nonce);
  std::string sealed(reinterpret_cast<const char*>(nonce.data()), nonce.size());
  sealed.resize(nonce_bytes + text.size() + tag_bytes);
  const Context cipher(EVP_CIPHER_CTX_new());
  int written = 0;
  must(cipher && EVP_EncryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr,
                                    bytes_of(key_.expose()), nonce.data()) == 1);
  must(EVP_EncryptUpdate(cipher.get(), nullptr, &written, bytes_of(context), length_of(context)) ==
       1);
  auto* out = bytes_of(sealed) + nonce_bytes;
  must(EVP_EncryptUpdate(cipher.get(), out, &written, bytes_of(text), length_of(text)) == 1);
  must(EVP_EncryptFinal_ex(cipher.get(), out + written, &written) == 1);
  must(EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_GET_TAG, tag_bytes, out + text.size()) == 1);
  return sealed;
}

std::optional<base::Secret> SealingKey::open(std::string_view sealed,
                                             std::string_view context) const {
  if (sealed.size() < nonce_bytes + tag_bytes) return std::nullopt;
  const auto text = sealed.substr(nonce_bytes, sealed.size() - nonce_bytes - tag_bytes);
  std::string tag(sealed.substr(sealed.size() - tag_bytes));
  std::string opened(text.size(), '\0');
  const Context cipher(EVP_CIPHER_CTX_new());
  int written = 0;
  must(cipher && EVP_DecryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr,
                                    bytes_of(key_.expose()), bytes_of(sealed)) == 1);
  must(EVP_DecryptUpdate(cipher.get(), nullptr, &written, bytes_of(context), length_of(context)) ==
       1);
  must(EVP_DecryptUpdate(cipher.get(), bytes_of(opened), &written, bytes_of(text),
                         length_of(text)) == 1);
  must(EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_SET_TAG, tag_bytes, tag.data()) == 1);
  base::Secret secret(std::move(opened));
  std::array<unsigned char, 16> rest;
  if (EVP_DecryptFinal_ex(cipher.get(), rest.data(), &written) != 1) return std::nullopt;
  return secret;
}

}  // namespace stagedoor::crypto
