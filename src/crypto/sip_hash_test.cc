#include "crypto/sip_hash.h"

#include <gtest/gtest.h>

#include <string>

namespace stagedoor::crypto {
namespace {

SipHash counting() {
  std::array<std::uint8_t, 16> key;
  for (std::uint8_t i = 0; i < 16; ++i) key[i] = i;
  return SipHash(key);
}

std::string first_bytes(std::size_t count) {
  std::string bytes;
  for (std::size_t i = 0; i < count; ++i) bytes += static_cast<char>(i);
  return bytes;
}

TEST(SipHash, AgreesWithTheVectorsOfItsAuthors) {
  EXPECT_EQ(counting()(first_bytes(0)), 0x726fdb47dd0e0e31u);
  EXPECT_EQ(counting()(first_bytes(1)), 0x74f839c593dc67fdu);
  EXPECT_EQ(counting()(first_bytes(8)), 0x93f5f5799a932462u);
  EXPECT_EQ(counting()(first_bytes(15)), 0xa129ca6149be45e5u);
}

TEST(SipHash, ASaltIsEightBytesBeforeTheRest) {
  for (std::size_t length = 8; length < 64; ++length) {
    const auto all = first_bytes(length);
    EXPECT_EQ(counting()(0x0706050403020100u, std::string_view(all).substr(8)), counting()(all));
  }
}

}  // namespace
}  // namespace stagedoor::crypto
