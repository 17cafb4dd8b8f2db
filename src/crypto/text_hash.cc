#include "crypto/text_hash.h"

#include <array>
#include <cstring>
#include <span>

namespace stagedoor::crypto {
namespace {

__extension__ using Wide = unsigned __int128;

// The second pass uses the key from two words further on (the Toeplitz construction).
constexpr std::size_t pair_words = 2;
constexpr std::size_t pair_bytes = 16;

struct Sums {
  Wide first = 0, second = 0;

  // Adds one pair of words to both passes.
  void add(const char* bytes, const std::uint64_t* key) {
    std::uint64_t pair[pair_words];
    std::memcpy(pair, bytes, pair_bytes);
    first += Wide{pair[0] + key[0]} * Wide{pair[1] + key[1]};
    second += Wide{pair[0] + key[2]} * Wide{pair[1] + key[3]};
  }
};

}  // namespace

TextHash::TextHash(std::size_t text_bytes_max, base::Random& random)
    : key_((text_bytes_max / pair_bytes + 1) * pair_words + pair_words) {
  random.fill(
      std::span(reinterpret_cast<std::uint8_t*>(key_.data()), key_.size() * sizeof(std::uint64_t)));
}

std::optional<TextHash::Digest> TextHash::operator()(std::string_view text) const {
  // The last pair of the key is for the second pass alone, and the one before for a short end.
  const auto pairs = text.size() / pair_bytes;
  if (pairs * pair_words + 2 * pair_words > key_.size()) return std::nullopt;
  Sums sums;
  const auto* key = key_.data();
  for (std::size_t i = 0; i < pairs; ++i)
    sums.add(text.data() + i * pair_bytes, key + i * pair_words);
  if (const auto rest = text.size() % pair_bytes; rest > 0) {
    char end[pair_bytes] = {};
    std::memcpy(end, text.data() + pairs * pair_bytes, rest);
    sums.add(end, key + pairs * pair_words);
  }
  return Digest{.words = {static_cast<std::uint64_t>(sums.first),
                          static_cast<std::uint64_t>(sums.first >> 64),
                          static_cast<std::uint64_t>(sums.second),
                          static_cast<std::uint64_t>(sums.second >> 64)},
                .bytes = text.size()};
}

}  // namespace stagedoor::crypto
