#include <gtest/gtest.h>

#include <set>
#include <thread>

#include "base/text.h"
#include "crypto/hash.h"
#include "crypto/random.h"
#include "crypto/sign.h"

namespace stagedoor::crypto {
namespace {

std::string bytes_of(std::string_view hex) {
  const auto bytes = base::from_hex(hex);
  return std::string(base::as_text(*bytes));
}

TEST(Sha256, TheVectorsOfFips180AreReproduced) {
  EXPECT_EQ(base::hex(sha256("abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(base::hex(sha256("")),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(Hmac, TheVectorsOfRfc4231AreReproduced) {
  EXPECT_EQ(base::hex(HmacKey(base::Secret(std::string(20, '\x0b'))).mac("Hi There")),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(
      base::hex(
          HmacKey(base::Secret(std::string_view("Jefe"))).mac("what do ya want for nothing?")),
      "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  // A key longer than the block.
  EXPECT_EQ(base::hex(HmacKey(base::Secret(std::string(131, '\xaa')))
                          .mac("Test Using Larger Than Block-Size Key - Hash Key First")),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(Ed25519, TheFirstVectorsOfRfc8032AreReproduced) {
  const Ed25519Key key(
      base::Secret(bytes_of("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")));
  const auto signature = key.sign("\x72");
  EXPECT_EQ(base::hex({reinterpret_cast<const std::uint8_t*>(signature.data()), signature.size()}),
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
            "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00");
  EXPECT_TRUE(key.verifies("\x72", signature));
  EXPECT_FALSE(key.verifies("\x73", signature));
  EXPECT_FALSE(key.verifies("\x72", signature.substr(1)));
  EXPECT_FALSE(key.verifies("\x72", ""));
  EXPECT_FALSE(key.verifies("\x72", std::string(64, '\0')));
}

TEST(Equal, ComparesLengthAndEveryByte) {
  EXPECT_TRUE(equal("abc", "abc"));
  EXPECT_TRUE(equal("", ""));
  EXPECT_FALSE(equal("abc", "abd"));
  EXPECT_FALSE(equal("abc", "ab"));
}

TEST(SystemRandom, NeverGivesTheSameTwiceAlsoAcrossThreads) {
  SystemRandom random;
  std::mutex mutex;
  std::set<std::array<std::uint8_t, 16>> seen;
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 1000; ++j) {
        std::array<std::uint8_t, 16> bytes;
        random.fill(bytes);
        const std::lock_guard lock(mutex);
        EXPECT_TRUE(seen.insert(bytes).second);
      }
    });
  }
}

}  // namespace
}  // namespace stagedoor::crypto
