#include "base/text.h"

#include <gtest/gtest.h>

namespace stagedoor::base {
namespace {

TEST(Base64url, EveryByteStringComesBackAsItWas) {
  std::string bytes;
  for (int length = 0; length < 300; ++length) {
    EXPECT_EQ(from_base64url(base64url(bytes)), bytes);
    bytes += static_cast<char>(length * 37);
  }
}

TEST(Base64url, TheVectorsOfRfc4648AreReproduced) {
  EXPECT_EQ(base64url(""), "");
  EXPECT_EQ(base64url("f"), "Zg");
  EXPECT_EQ(base64url("fo"), "Zm8");
  EXPECT_EQ(base64url("foobar"), "Zm9vYmFy");
  EXPECT_EQ(base64url("\xfb\xff"), "-_8");
}

TEST(Base64url, AnythingButTheOneSpellingIsRefused) {
  for (const auto* text : {"Zg==", "Zg=", "Z", "Zm9v+A", "Zm9v/A", "Zm 9v", "Zh", "Zm9", "Zm9vY\n"})
    EXPECT_FALSE(from_base64url(text)) << text;
}

TEST(Base64, TheVectorsOfRfc4648AreReproduced) {
  for (const auto& [bytes, text] : {std::pair("", ""),
                                    {"f", "Zg=="},
                                    {"fo", "Zm8="},
                                    {"foo", "Zm9v"},
                                    {"foobar", "Zm9vYmFy"},
                                    {"\xfb\xff", "+/8="}}) {
    std::string out = "x";
    append_base64(out, bytes);
    EXPECT_EQ(out, std::string("x") + text);
  }
}

TEST(Base64, IsReadInItsOnlySpellingWithPadding) {
  EXPECT_EQ(from_base64("AAH/"), std::string("\0\1\xff", 3));
  EXPECT_EQ(from_base64("Zg=="), "f");
  EXPECT_EQ(from_base64("Zm8="), "fo");
  EXPECT_EQ(from_base64(""), "");
  for (const auto* text : {"Zg", "Zg=", "Zh==", "AAH_", "Z===", "A A=", "===="})
    EXPECT_FALSE(from_base64(text)) << text;
}

TEST(Hex, OnlyLowerCasePairsAreRead) {
  EXPECT_EQ(from_hex("00ff10"), (std::vector<std::uint8_t>{0, 255, 16}));
  for (const auto* text : {"0", "0g", "FF", " 0", "0x00"}) EXPECT_FALSE(from_hex(text)) << text;
}

TEST(Crc32, TheCheckValueOfTheStandardIsReproduced) {
  EXPECT_EQ(crc32("123456789"), 0xcbf43926u);
}

TEST(EditDistance, CountsSingleChanges) {
  EXPECT_EQ(edit_distance("", "abc"), 3u);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3u);
  EXPECT_EQ(edit_distance("server.threads", "server.treads"), 1u);
  EXPECT_EQ(edit_distance("same", "same"), 0u);
}

}  // namespace
}  // namespace stagedoor::base
