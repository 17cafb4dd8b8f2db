#include "base/network.h"

#include <gtest/gtest.h>

namespace stagedoor::base {
namespace {

Address address(std::string_view text) {
  const auto parsed = parse_address(text);
  EXPECT_TRUE(parsed) << text;
  return parsed.value_or(Address{});
}

Network network(std::string_view text) {
  const auto parsed = parse_network(text);
  EXPECT_TRUE(parsed) << text;
  return parsed.value_or(Network{});
}

TEST(Address, OneAddressHasOneForm) {
  EXPECT_EQ(address("192.0.2.7"), address("::ffff:192.0.2.7"));
  EXPECT_EQ(address("192.0.2.7"), address("::ffff:c000:207"));
  EXPECT_EQ(address("2001:db8::1"), address("2001:0DB8:0:0:0:0:0:1"));
  EXPECT_EQ(text_of(address("::ffff:192.0.2.7")), "192.0.2.7");
  EXPECT_EQ(text_of(address("2001:0DB8:0:0:0:0:0:1")), "2001:db8::1");
  EXPECT_TRUE(address("::ffff:1.2.3.4").is_v4());
  EXPECT_FALSE(address("::1.2.3.4").is_v4());
}

TEST(Address, WhatReadersCouldDifferOnIsNoAddress) {
  for (const auto* text : {"",
                           " ",
                           "1.2.3",
                           "1.2.3.4.5",
                           "01.2.3.4",
                           "1.2.3.04",
                           "0x1.2.3.4",
                           "256.1.1.1",
                           "1.2.3.4 ",
                           " 1.2.3.4",
                           "1.2.3.4:80",
                           "1.2.3.-4",
                           "[::1]",
                           "::1%eth0",
                           "fe80::1%1",
                           ":",
                           ":::",
                           "1::2::3",
                           "12345::",
                           "::ffff:1.2.3.256",
                           "::ffff:01.2.3.4",
                           "localhost",
                           "unknown",
                           "_hidden",
                           "1",
                           "2001:db8::1/64",
                           "1.2.3.4\n",
                           "0000:0000:0000:0000:0000:0000:0000:0000:0000"})
    EXPECT_FALSE(parse_address(text)) << text;
  EXPECT_FALSE(parse_address(std::string_view("1.2.3.4\0", 8)));
  EXPECT_FALSE(parse_address(std::string_view("1.2.3.4\0.9", 10)));
  EXPECT_FALSE(parse_address(std::string(1 << 20, ':')));
}

TEST(Address, WhatIsWrittenReadsBackAsTheSame) {
  for (const auto* text : {"0.0.0.0", "255.255.255.255", "::", "::1", "ff02::1",
                           "2001:db8::ff00:42", "64:ff9b::102:304"})
    EXPECT_EQ(text_of(address(text)), text);
}

TEST(Address, APartyIsAnAddressOfIPv4AndA64OfIPv6) {
  EXPECT_EQ(party_of(address("192.0.2.7")), address("192.0.2.7"));
  EXPECT_EQ(party_of(address("2001:db8:1:2:3:4:5:6")), address("2001:db8:1:2::"));
  EXPECT_NE(party_of(address("2001:db8:1:3::1")), party_of(address("2001:db8:1:2::1")));
}

TEST(Network, HoldsWhatSharesItsPrefixAndNothingElse) {
  EXPECT_TRUE(network("10.0.0.0/8").contains(address("10.255.1.2")));
  EXPECT_FALSE(network("10.0.0.0/8").contains(address("11.0.0.0")));
  EXPECT_TRUE(network("192.0.2.128/25").contains(address("192.0.2.128")));
  EXPECT_FALSE(network("192.0.2.128/25").contains(address("192.0.2.127")));
  EXPECT_TRUE(network("192.0.2.7").contains(address("192.0.2.7")));
  EXPECT_FALSE(network("192.0.2.7").contains(address("192.0.2.6")));
  EXPECT_TRUE(network("2001:db8::/33").contains(address("2001:db8:7fff::1")));
  EXPECT_FALSE(network("2001:db8::/33").contains(address("2001:db8:8000::1")));
  EXPECT_TRUE(network("::/0").contains(address("2001:db8::1")));
  EXPECT_TRUE(network("0.0.0.0/0").contains(address("198.51.100.1")));
  EXPECT_FALSE(network("0.0.0.0/0").contains(address("2001:db8::1")));
}

TEST(Network, WithBitsBeyondItsPrefixItIsRefused) {
  for (const auto* text : {"10.0.0.1/8", "192.0.2.1/31", "2001:db8::1/64", "10.0.0.0/33",
                           "10.0.0.0/-1", "::/129", "10.0.0.0/", "10.0.0.0/8 ", "10.0.0.0/+8",
                           "10.0.0.0/8/8", "/8", "10.0.0/8", "", "10.0.0.0/99999999999999999999"})
    EXPECT_FALSE(parse_network(text)) << text;
}

TEST(Network, WhatIsWrittenReadsBackAsTheSame) {
  for (const auto* text :
       {"10.0.0.0/8", "0.0.0.0/0", "192.0.2.7/32", "::/0", "2001:db8::/32", "::1/128"})
    EXPECT_EQ(text_of(network(text)), text);
  EXPECT_EQ(text_of(network("192.0.2.7")), "192.0.2.7/32");
}

TEST(Network, PrivateIsWhatARequestForAStrangerMustNotReach) {
  for (const auto* text :
       {"127.0.0.1",   "127.255.255.255",  "10.1.2.3",       "172.16.0.1", "172.31.255.255",
        "192.168.1.1", "169.254.169.254",  "100.64.0.1",     "0.0.0.0",    "0.1.2.3",
        "224.0.0.1",   "255.255.255.255",  "192.0.2.1",      "198.18.0.1", "::",
        "::1",         "::ffff:127.0.0.1", "fc00::1",        "fdff::1",    "fe80::1",
        "ff02::1",     "2001:db8::1",      "64:ff9b::7f00:1"})
    EXPECT_TRUE(is_private(address(text))) << text;
  for (const auto* text : {"1.1.1.1", "172.32.0.1", "192.167.255.255", "100.128.0.1",
                           "169.253.255.255", "2606:4700::1", "fec0::1", "2001:db9::1"})
    EXPECT_FALSE(is_private(address(text))) << text;
}

const std::vector<Network> proxies = {*parse_network("10.0.0.0/8"), *parse_network("fd00::/8")};

std::string behind(std::string_view peer, std::string_view forwarded_for) {
  return text_of(client_behind(address(peer), forwarded_for, proxies));
}

// Rule client-address-by-trusted-proxies.
TEST(ClientBehind, WhoeverIsNoTrustedProxyIsTheClientWhateverItSays) {
  EXPECT_EQ(behind("203.0.113.9", "198.51.100.1"), "203.0.113.9");
  EXPECT_EQ(behind("203.0.113.9", "10.0.0.1"), "203.0.113.9");
  EXPECT_EQ(behind("2001:db8::9", "198.51.100.1"), "2001:db8::9");
}

// Rule client-address-by-trusted-proxies.
TEST(ClientBehind, TheLastAddressThatIsNoProxyIsTheClient) {
  EXPECT_EQ(behind("10.0.0.1", "198.51.100.1"), "198.51.100.1");
  EXPECT_EQ(behind("10.0.0.1", "6.6.6.6, 198.51.100.1"), "198.51.100.1");
  EXPECT_EQ(behind("10.0.0.1", "6.6.6.6, 198.51.100.1, 10.0.0.2, fd00::3"), "198.51.100.1");
  EXPECT_EQ(behind("10.0.0.1", "6.6.6.6,2001:db8::5"), "2001:db8::5");
  EXPECT_EQ(behind("fd00::1", " \t198.51.100.1 "), "198.51.100.1");
  EXPECT_EQ(behind("10.0.0.1", "::ffff:198.51.100.1"), "198.51.100.1");
}

TEST(ClientBehind, WhatIsNoAddressEndsTheSearchAtTheProxyThatSaidIt) {
  for (const auto* text : {"unknown", "198.51.100.1:443", "[2001:db8::5]", "\"198.51.100.1\"", ",",
                           "198.51.100.1,", "198.51.100.1, ", "198.51.100.1, x", "198.51.100.01"})
    EXPECT_EQ(behind("10.0.0.1", text), "10.0.0.1") << text;
  EXPECT_EQ(behind("10.0.0.1", "198.51.100.1, x, 10.0.0.2"), "10.0.0.2");
  EXPECT_EQ(behind("10.0.0.1", ""), "10.0.0.1");
  EXPECT_EQ(behind("10.0.0.1", "10.0.0.2"), "10.0.0.2");
}

TEST(ClientBehind, WithoutTrustedProxiesNothingIsBelieved) {
  EXPECT_EQ(client_behind(address("127.0.0.1"), "198.51.100.1", {}), address("127.0.0.1"));
}

}  // namespace
}  // namespace stagedoor::base
