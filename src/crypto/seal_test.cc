#include "crypto/seal.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/text.h"
#include "crypto/random.h"

namespace stagedoor::crypto {
namespace {

std::string bytes_of(std::string_view hex) {
  const auto bytes = base::from_hex(hex);
  return std::string(base::as_text(*bytes));
}

// Gives the bytes that it is told.
class Told : public base::Random {
 public:
  explicit Told(std::string bytes) : bytes_(std::move(bytes)) {}
  void fill(std::span<std::uint8_t> out) override {
    std::copy_n(bytes_.begin(), out.size(), out.begin());
  }

 private:
  std::string bytes_;
};

// Test case 16 of the GCM specification (McGrew and Viega), which NIST SP 800-38D rests on.
TEST(Seal, TheVectorOfTheSpecificationIsReproduced) {
  const SealingKey key(
      base::Secret(bytes_of("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308")));
  Told nonce(bytes_of("cafebabefacedbaddecaf888"));
  const auto text = bytes_of(
      "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
      "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39");
  const auto context = bytes_of("feedfacedeadbeeffeedfacedeadbeefabaddad2");
  const auto sealed = key.seal(text, context, nonce);
  EXPECT_EQ(base::hex({reinterpret_cast<const std::uint8_t*>(sealed.data()), sealed.size()}),
            "cafebabefacedbaddecaf888"
            "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
            "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
            "76fc6ece0f4e1768cddf8853bb2d551b");
  EXPECT_EQ(key.open(sealed, context)->expose(), text);
}

TEST(Seal, OpensNothingThatWasChangedOrMovedOrIsOfAnotherKey) {
  SystemRandom random;
  const SealingKey key(base::Secret(std::string(32, 'k')));
  const auto sealed = key.seal("hush", "row 1", random);
  EXPECT_EQ(key.open(sealed, "row 1")->expose(), "hush");
  EXPECT_FALSE(key.open(sealed, "row 2"));
  EXPECT_FALSE(SealingKey(base::Secret(std::string(32, 'l'))).open(sealed, "row 1"));
  for (std::size_t at = 0; at < sealed.size(); ++at) {
    auto changed = sealed;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    EXPECT_FALSE(key.open(changed, "row 1")) << at;
    EXPECT_FALSE(key.open(sealed.substr(0, at), "row 1")) << at;
  }
}

TEST(Seal, SealsTheSameTextDifferentlyEachTimeAlsoAnEmptyOne) {
  SystemRandom random;
  const SealingKey key(base::Secret(std::string(32, 'k')));
  EXPECT_NE(key.seal("hush", "", random), key.seal("hush", "", random));
  EXPECT_EQ(key.open(key.seal("", "", random), "")->expose(), "");
}

}  // namespace
}  // namespace stagedoor::crypto
