#include "base/redact.h"

#include <gtest/gtest.h>

namespace stagedoor::base {
namespace {

const std::string key = "av_test_6YO0xg77FtwDGsxa5iDVmKBrW01PoRJ1HX6mR";
const std::string token =
    "eyJhbGciOiJIUzI1NiJ9.eyJ0eXBlIjoic2Vzc2lvbiJ9.NL2-DftULFE_Qc2OsGhQctzl7FCY";

// Rule log-holds-no-credential.
TEST(Redacted, KeysAndTokensAreCutDownWhereverTheyStand) {
  EXPECT_EQ(redacted(key), "av_test_***");
  EXPECT_EQ(redacted("/v1/" + key + "?x=" + token + "&y"), "/v1/av_test_***?x=eyJ***&y");
  EXPECT_EQ(redacted("twice: " + key + key), "twice: av_test_***");
  EXPECT_EQ(redacted("a" + token), "aeyJ***");
  const std::string random(43, 'r');
  EXPECT_EQ(redacted("/sdr_" + random + "?inv_" + random + "&y"), "/sdr_***?inv_***&y");
  EXPECT_EQ(redacted("/share/sh_" + std::string(32, 'a')), "/share/sh_***");
  EXPECT_EQ(redacted("to 007eJxTYGBg+/AAAAAAAA=="), "to 007eJ***");
}

TEST(Redacted, OtherTextStaysAsItIs) {
  for (const auto* text : {"", "plain", "av_test_", "av_live_Ab3d…x9Zk", "eyJ", "eyJust a word",
                           "inv_entory", "é…", "finish_somethingquitelong_now"})
    EXPECT_EQ(redacted(text), text);
}

TEST(Redacted, WhatMayHoldACredentialIsToldForEachKind) {
  for (const auto* text : {"av_live_", "xav_test_", "sdr_", "/inv_", "sh_", "eyJ", "007eJ"})
    EXPECT_TRUE(may_hold_credential(text)) << text;
  for (const auto* text : {"", "plain", "key_0000000000000007"})
    EXPECT_FALSE(may_hold_credential(text)) << text;
}

TEST(Redacted, TheLengthIsBounded) {
  EXPECT_EQ(redacted(std::string(5000, 'x')).size(), 256u);
  EXPECT_LT(redacted(std::string(250, 'x') + key).size(), 270u);
}

}  // namespace
}  // namespace stagedoor::base
