#include "crypto/sip_hash.h"

#include <bit>
#include <cstring>

namespace stagedoor::crypto {
namespace {

static_assert(std::endian::native == std::endian::little);

std::uint64_t word_of(const void* bytes) {
  std::uint64_t word;
  std::memcpy(&word, bytes, sizeof word);
  return word;
}

struct State {
  std::uint64_t v0, v1, v2, v3;

  State(std::uint64_t k0, std::uint64_t k1)
      : v0(k0 ^ 0x736f6d6570736575),
        v1(k1 ^ 0x646f72616e646f6d),
        v2(k0 ^ 0x6c7967656e657261),
        v3(k1 ^ 0x7465646279746573) {}

  void round() {
    v0 += v1;
    v2 += v3;
    v1 = std::rotl(v1, 13) ^ v0;
    v3 = std::rotl(v3, 16) ^ v2;
    v0 = std::rotl(v0, 32);
    v2 += v1;
    v0 += v3;
    v1 = std::rotl(v1, 17) ^ v2;
    v3 = std::rotl(v3, 21) ^ v0;
    v2 = std::rotl(v2, 32);
  }

  void add(std::uint64_t word) {
    v3 ^= word;
    round();
    v0 ^= word;
  }

  std::uint64_t finish(std::string_view rest) {
    std::uint64_t last = std::uint64_t{rest.size()} << 56;
    for (; rest.size() >= 8; rest.remove_prefix(8)) add(word_of(rest.data()));
    for (std::size_t i = 0; i < rest.size(); ++i)
      last |= std::uint64_t{static_cast<unsigned char>(rest[i])} << (8 * i);
    add(last);
    v2 ^= 0xff;
    for (int i = 0; i < 3; ++i) round();
    return v0 ^ v1 ^ v2 ^ v3;
  }
};

}  // namespace

SipHash::SipHash(const std::array<std::uint8_t, 16>& key)
    : key_{word_of(key.data()), word_of(key.data() + 8)} {}

SipHash::SipHash(base::Random& random) {
  std::array<std::uint8_t, 16> key;
  random.fill(key);
  key_[0] = word_of(key.data());
  key_[1] = word_of(key.data() + 8);
}

std::uint64_t SipHash::operator()(std::string_view bytes) const {
  return State(key_[0], key_[1]).finish(bytes);
}

}  // namespace stagedoor::crypto
