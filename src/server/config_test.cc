#include "server/config.h"

#include <gtest/gtest.h>

namespace stagedoor::server {
namespace {

std::string hint_of(std::string_view toml) {
  const auto config = parse_config(toml, "stagedoor.toml");
  return config ? "" : config.error().hint;
}

TEST(Config, AnEmptyFileGivesTheDefaults) {
  const auto config = parse_config("", "empty");
  ASSERT_TRUE(config);
  EXPECT_EQ(config->listen, "127.0.0.1:8700");
  EXPECT_EQ(config->region, "us-west");
}

// Rule setting-unknown-refused.
TEST(Config, AnUnknownSettingIsRefusedWithItsLineAndTheNearestName) {
  EXPECT_EQ(hint_of("[server]\nlisten = \"127.0.0.1:1\"\nthread = 2\n"),
            "stagedoor.toml:3: unknown setting server.thread; did you mean server.threads?");
  EXPECT_NE(hint_of("[tokens]\nalgorythm = \"HS256\"").find("did you mean tokens.algorithm?"),
            std::string::npos);
  EXPECT_NE(hint_of("region = \"x\"").find("did you mean tokens.region?"), std::string::npos);
  EXPECT_NE(hint_of("[servr]\nthreads = 2").find("did you mean server.threads?"),
            std::string::npos);
}

TEST(Config, AValueOfTheWrongKindOrRangeIsRefused) {
  EXPECT_NE(hint_of("[server]\nthreads = \"two\"").find("whole number"), std::string::npos);
  EXPECT_NE(hint_of("[server]\nthreads = 2.5").find("whole number"), std::string::npos);
  EXPECT_NE(hint_of("[server]\nthreads = -1").find("from 0 to 256"), std::string::npos);
  EXPECT_NE(hint_of("[tokens]\nalgorithm = \"none\"").find("one of HS256, EdDSA"),
            std::string::npos);
  EXPECT_NE(hint_of("[keys]\naccept_live = 1").find("true or false"), std::string::npos);
  EXPECT_NE(hint_of("[server]\nlisten = \"here\"").find("HOST:PORT"), std::string::npos);
  EXPECT_NE(hint_of("[server\n"), "");
  EXPECT_NE(hint_of(std::string_view("[\0", 2)).find("only ASCII"), std::string::npos);
}

TEST(Config, WhatIsPrintedReadsBackAsTheSame) {
  const auto config = parse_config(
      "[server]\nlisten = \"[::1]:9\"\nthreads = 3\n[secrets]\ntrusted_token_key_files = [\"/a\", "
      "\"/b\"]\n[keys]\naccept_live = false\n[page]\nopen_to = \"nobody\"\n",
      "one");
  ASSERT_TRUE(config);
  const auto printed = print_config(*config);
  const auto again = parse_config(printed, "printed");
  ASSERT_TRUE(again) << again.error().hint;
  EXPECT_EQ(print_config(*again), printed);
  EXPECT_EQ(again->listen, "[::1]:9");
  EXPECT_EQ(again->http.threads, 3);
  EXPECT_EQ(again->trusted_token_key_files.size(), 2u);
  EXPECT_FALSE(again->accepts_live_keys);
}

TEST(Address, HostAndPortAreTakenApart) {
  EXPECT_EQ(parse_address("127.0.0.1:0")->port, 0);
  EXPECT_EQ(parse_address("[::1]:8700")->host, "::1");
  for (const auto* text : {"", "8700", "host:", "host:x", "host:65536", "host:-1"})
    EXPECT_FALSE(parse_address(text)) << text;
}

}  // namespace
}  // namespace stagedoor::server
