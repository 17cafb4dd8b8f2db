#include "base/random.h"

#include <array>

#include "base/text.h"

namespace stagedoor::base {

std::string random_base62(Random& random, std::size_t length) {
  std::string text;
  text.reserve(length);
  std::array<std::uint8_t, 48> bytes;
  while (text.size() < length) {
    random.fill(bytes);
    for (const auto byte : bytes) {
      // 248 = 4 * 62: above it a character would be likelier than the others.
      if (byte < 248 && text.size() < length) text += base62_digits[byte % 62];
    }
  }
  return text;
}

std::string random_uuid(Random& random) {
  std::array<std::uint8_t, 16> bytes;
  random.fill(bytes);
  bytes[6] = static_cast<std::uint8_t>((bytes[6] & 0x0f) | 0x40);
  bytes[8] = static_cast<std::uint8_t>((bytes[8] & 0x3f) | 0x80);
  auto text = hex(bytes);
  for (const std::size_t at : {20u, 16u, 12u, 8u}) text.insert(at, "-");
  return text;
}

}  // namespace stagedoor::base
