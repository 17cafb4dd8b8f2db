#include "crypto/sign.h"

#include <openssl/evp.h>

#include <cstdlib>

namespace stagedoor::crypto {
namespace {

struct FreeKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
struct FreeContext {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_MD_CTX, FreeContext>;

const unsigned char* octets(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

}  // namespace

struct Ed25519Key::State {
  std::unique_ptr<EVP_PKEY, FreeKey> key;
};

Ed25519Key::Ed25519Key(const base::Secret& seed) : state_(std::make_unique<State>()) {
  state_->key.reset(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, octets(seed.expose()),
                                                 seed.expose().size()));
  if (!state_->key) std::abort();
}
Ed25519Key::Ed25519Key(Ed25519Key&&) noexcept = default;
Ed25519Key& Ed25519Key::operator=(Ed25519Key&&) noexcept = default;
Ed25519Key::~Ed25519Key() = default;

std::string Ed25519Key::sign(std::string_view bytes) const {
  const Context context(EVP_MD_CTX_new());
  std::string signature(64, '\0');
  std::size_t length = signature.size();
  if (!context ||
      EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, state_->key.get()) != 1 ||
      EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &length,
                     octets(bytes), bytes.size()) != 1)
    std::abort();
  return signature;
}

std::string Ed25519Key::public_key() const {
  std::string bytes(32, '\0');
  std::size_t length = bytes.size();
  if (EVP_PKEY_get_raw_public_key(state_->key.get(), reinterpret_cast<unsigned char*>(bytes.data()),
                                  &length) != 1)
    std::abort();
  return bytes;
}

bool Ed25519Key::verifies(std::string_view bytes, std::string_view signature) const {
  const Context context(EVP_MD_CTX_new());
  return signature.size() == 64 && context &&
         EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, state_->key.get()) == 1 &&
         EVP_DigestVerify(context.get(), octets(signature), signature.size(), octets(bytes),
                          bytes.size()) == 1;
}

}  // namespace stagedoor::crypto
