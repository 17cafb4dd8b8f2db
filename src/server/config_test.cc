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

TEST(Config, TheLimitsOfTheThirdDialectAreTheDefaults) {
  const auto printed = print_config(*parse_config("", "empty"));
  for (const auto* line :
       {"api_key_free = \"10/min burst 20\"", "api_key_creator = \"30/min burst 60\"",
        "api_key_pro = \"300/min burst 600\"", "person = \"60/min burst 120\"",
        "stranger = \"5/min burst 10\"", "password = \"5/min\"", "login = \"10/min\"",
        "account_creation = \"3/5min\"", "shadow = []", "keys_count_per_network = true",
        "trusted_proxies = []"})
    EXPECT_NE(printed.find("\n" + std::string(line) + "\n"), std::string::npos) << line;
}

TEST(Config, LimitsAndProxiesAreReadAndPrintedAsTheyWereWritten) {
  const std::string_view text =
      "[server]\ntrusted_proxies = [\"10.0.0.0/8\", \"fd00::/8\", \"192.0.2.7\"]\n"
      "[limits]\napi_key_pro = \"unlimited\"\nperson = \"7/2hour burst 9\"\n"
      "shadow = [\"login\", \"api-key\"]\nkeys_count_per_network = false\ncallers_max = 5\n";
  const auto config = parse_config(text, "one");
  ASSERT_TRUE(config) << config.error().hint;
  EXPECT_EQ(config->http.trusted_proxies.size(), 3u);
  EXPECT_TRUE(config->limits.tiers.at("pro").is_unlimited());
  EXPECT_EQ(config->limits.person.count, 7u);
  EXPECT_EQ(config->limit_tables.shadow.size(), 2u);
  EXPECT_FALSE(config->limits.keys_count_per_network);
  EXPECT_EQ(config->limit_tables.callers_max, 5u);
  const auto printed = print_config(*config);
  const auto again = parse_config(printed, "printed");
  ASSERT_TRUE(again) << again.error().hint;
  EXPECT_EQ(print_config(*again), printed);
}

TEST(Config, ALimitOrAProxyThatIsNoneStopsTheStart) {
  for (const auto* value : {"\"often\"", "\"10\"", "10", "\"10/fortnight\"", "\"\"", "[]"})
    EXPECT_NE(hint_of("[limits]\nlogin = " + std::string(value)).find("10/min burst 20"),
              std::string::npos)
        << value;
  for (const auto* value : {"[\"api_key\"]", "\"login\"", "[1]", "[\"\"]"})
    EXPECT_NE(hint_of("[limits]\nshadow = " + std::string(value)).find("list of api-key"),
              std::string::npos)
        << value;
  for (const auto* value : {"[\"10.0.0.1/8\"]", "[\"here\"]", "[10]", "\"10.0.0.0/8\""})
    EXPECT_NE(hint_of("[server]\ntrusted_proxies = " + std::string(value)).find("list of networks"),
              std::string::npos)
        << value;
}

constexpr std::string_view two_issuers =
    "[[people.issuers]]\npreset = \"firebase\"\nproject = \"avatarium-prod\"\n"
    "[[people.issuers]]\nissuer = \"https://id.example\"\naudiences = [\"app\", \"b\"]\n"
    "algorithms = [\"ES256\", \"EdDSA\"]\njwks_url = \"https://id.example/k\"\n"
    "access_tokens = true\n";

TEST(Config, IssuersAreTablesThatReadBackAsTheSame) {
  const auto config = parse_config(two_issuers, "two");
  ASSERT_TRUE(config) << config.error().hint;
  const auto again = parse_config(print_config(*config), "printed");
  ASSERT_TRUE(again) << again.error().hint;
  EXPECT_EQ(print_config(*again), print_config(*config));
  const auto policies = policies_of(again->people_issuers, false);
  ASSERT_TRUE(policies);
  ASSERT_EQ(policies->size(), 2u);
  EXPECT_EQ((*policies)[0].issuer, "https://securetoken.google.com/avatarium-prod");
  EXPECT_TRUE((*policies)[0].needs_key_id);
  EXPECT_EQ((*policies)[1].audiences, (std::vector<std::string>{"app", "b"}));
  EXPECT_EQ((*policies)[1].algorithms,
            (std::vector{crypto::SignatureAlgorithm::es256, crypto::SignatureAlgorithm::eddsa}));
  EXPECT_EQ((*policies)[1].jwks_url, "https://id.example/k");
  EXPECT_TRUE((*policies)[1].takes_access_tokens);
}

// Rule setting-unknown-refused.
TEST(Config, AnUnknownMemberOfAnIssuerIsRefusedWithTheNearestName) {
  const std::string start = "[[people.issuers]]\nissuer = \"https://id.example\"\n";
  EXPECT_NE(hint_of(start + "audience = [\"app\"]").find("did you mean audiences?"),
            std::string::npos);
  EXPECT_NE(hint_of(start + "audiences = \"app\"").find("audiences that must be a list of texts"),
            std::string::npos);
  EXPECT_NE(hint_of("[people]\nissuers = \"x\"").find("list of tables"), std::string::npos);
  EXPECT_NE(hint_of("[people]\nissuers = [1]").find("list of tables"), std::string::npos);
}

TEST(Config, AnIssuerThatSaysTooLittleOrOddThingsIsRefused) {
  const auto issuer = [](std::string_view members) {
    return hint_of("[[people.issuers]]\n" + std::string(members));
  };
  const std::string name = "issuer = \"https://id.example\"\n", aud = "audiences = [\"a\"]\n";
  EXPECT_EQ(issuer(name + aud), "");
  EXPECT_NE(issuer(name).find("audiences"), std::string::npos);
  EXPECT_NE(issuer(aud).find("issuer must be"), std::string::npos);
  EXPECT_NE(issuer(name + aud + "algorithms = [\"HS256\"]").find("not HS256"), std::string::npos);
  EXPECT_NE(issuer(name + aud + "algorithms = [\"none\"]").find("not none"), std::string::npos);
  EXPECT_NE(issuer(name + aud + "jwks_url = \"http://id.example/\"").find("https"),
            std::string::npos);
  EXPECT_NE(issuer("issuer = \"http://127.0.0.1:9\"\n" + aud).find("https"), std::string::npos);
  EXPECT_NE(issuer(name + aud + "project = \"avatarium-prod\"").find("preset"), std::string::npos);
  EXPECT_NE(issuer("preset = \"auth0\"").find("firebase"), std::string::npos);
  EXPECT_NE(issuer("preset = \"firebase\"").find("project"), std::string::npos);
  EXPECT_NE(issuer("preset = \"firebase\"\nproject = \"avatarium-prod\"\n" + aud)
                .find("only project and jwks_url"),
            std::string::npos);
  EXPECT_NE(issuer(name + aud + "[[people.issuers]]\n" + name + aud).find("twice"),
            std::string::npos);
  EXPECT_EQ(hint_of("[people]\nallow_private_issuers = true\n[[people.issuers]]\n"
                    "issuer = \"http://127.0.0.1:9\"\n" +
                    aud),
            "");
}

TEST(Address, HostAndPortAreTakenApart) {
  EXPECT_EQ(parse_address("127.0.0.1:0")->port, 0);
  EXPECT_EQ(parse_address("[::1]:8700")->host, "::1");
  for (const auto* text : {"", "8700", "host:", "host:x", "host:65536", "host:-1"})
    EXPECT_FALSE(parse_address(text)) << text;
}

}  // namespace
}  // namespace stagedoor::server
