#include "crypto/random.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>

namespace stagedoor::crypto {
namespace {

struct Portion {
  std::array<std::uint8_t, 4096> bytes;
  std::size_t used = 4096;
  ~Portion() { OPENSSL_cleanse(bytes.data(), bytes.size()); }
};

}  // namespace

void SystemRandom::fill(std::span<std::uint8_t> out) {
  thread_local Portion portion;
  while (!out.empty()) {
    if (portion.used == portion.bytes.size()) {
      if (RAND_bytes(portion.bytes.data(), static_cast<int>(portion.bytes.size())) != 1)
        std::abort();
      portion.used = 0;
    }
    const auto count = std::min(out.size(), portion.bytes.size() - portion.used);
    std::memcpy(out.data(), portion.bytes.data() + portion.used, count);
    OPENSSL_cleanse(portion.bytes.data() + portion.used, count);
    portion.used += count;
    out = out.subspan(count);
  }
}

}  // namespace stagedoor::crypto
