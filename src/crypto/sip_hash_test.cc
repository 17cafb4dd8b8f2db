#include "crypto/sip_hash.h"

#include <gtest/gtest.h>

#include <string>

namespace stagedoor::crypto {
namespace {

std::string first_bytes(std::size_t count) {
  std::string bytes;
  for (std::size_t i = 0; i < count; ++i) bytes += static_cast<char>(i);
  return bytes;
}

// What CPython 3.11, whose strings are hashed so, prints for hash(bytes) with PYTHONHASHSEED=0.
TEST(SipHash, AgreesWithPythonsUnderTheKeyOfZeros) {
  const SipHash hash(std::array<std::uint8_t, 16>{});
  EXPECT_EQ(hash(first_bytes(1)), 0x68a914128e01e473u);
  EXPECT_EQ(hash("abc"), 0xc03bc3a0042630f2u);
  EXPECT_EQ(hash(first_bytes(7)), 0x2f098ab0c751325au);
  EXPECT_EQ(hash(first_bytes(8)), 0xead411e67ebe2eeau);
  EXPECT_EQ(hash(first_bytes(15)), 0xf30eb725bb91c9eau);
  EXPECT_EQ(hash(first_bytes(24)), 0x31185a47af932f3au);
  EXPECT_EQ(hash(first_bytes(63)), 0x385d3e39e5f37359u);
}

TEST(SipHash, AnotherKeyGivesAnotherHash) {
  std::array<std::uint8_t, 16> key{};
  const auto zeros = SipHash(key)("abc");
  for (auto& byte : key) {
    byte = 1;
    EXPECT_NE(SipHash(key)("abc"), zeros);
    byte = 0;
  }
}

}  // namespace
}  // namespace stagedoor::crypto
