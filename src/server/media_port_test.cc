#include "server/media_port.h"

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <thread>

#include "crypto/random.h"
#include "live/face_loops.h"
#include "media/udp_socket_for_test.h"

namespace stagedoor::server {
namespace {

using namespace std::chrono_literals;

base::Result<media::PortOptions> options_of(std::string_view settings) {
  return media_port_of(parse_config(settings, "stagedoor.toml").value());
}

std::string bound(std::string_view settings) {
  const auto options = options_of(settings);
  return options ? base::text_of(options->bind_address) : options.error().hint;
}

constexpr std::string_view proxied = "[live]\npublic_addresses = [\"203.0.113.5\"]\n";

// Rule media-reach-the-told-address.
TEST(MediaPort, BehindAProxyMediaComeInAtEveryAddressWhereClientsAreToldAPublicOne) {
  EXPECT_EQ(bound(""), "127.0.0.1");
  EXPECT_EQ(bound(proxied), "0.0.0.0");
  EXPECT_EQ(bound("[server]\nlisten = \"[::1]:8700\"\n" + std::string(proxied)), "::");
  EXPECT_EQ(bound("[live]\npublic_addresses = [\"203.0.113.5\", \"2001:db8::5\"]\n"), "::");
  EXPECT_EQ(bound("[live]\npublic_addresses = [\"127.0.0.1\"]\n"), "127.0.0.1");
  EXPECT_EQ(bound("[server]\nlisten = \"192.0.2.9:8700\"\n" + std::string(proxied)), "192.0.2.9");
  EXPECT_EQ(bound(std::string(proxied) + "udp_address = \"192.0.2.8\"\n"), "192.0.2.8");
}

// Rule media-reach-the-told-address.
TEST(MediaPort, ALoopbackAddressForMediaBesideAPublicOneForClientsIsRefused) {
  for (const auto* const loopback : {"127.0.0.1", "127.9.9.9", "::1"})
    EXPECT_TRUE(bound(std::string(proxied) + "udp_address = \"" + loopback + "\"\n")
                    .starts_with("live.udp_address: \"" + std::string(loopback) + "\" hears"));
  EXPECT_EQ(bound("[live]\nudp_address = \"127.0.0.1\"\n"), "127.0.0.1");
  EXPECT_TRUE(bound("[live]\nudp_address = \"here\"\n").starts_with("live.udp_address: \"here\""));
}

TEST(MediaPort, WithoutALastPortThereAreAsManyAsLoopsAndARangeThatIsTooSmallIsRefused) {
  const auto range = [](std::string_view settings) {
    const auto options = options_of("[live]\nthreads = 4\n" + std::string(settings));
    return options ? std::to_string(options->first_port) + "-" + std::to_string(options->last_port)
                   : options.error().hint;
  };
  EXPECT_EQ(range(""), "0-0");
  EXPECT_EQ(range("udp_first_port = 45100\n"), "45100-45103");
  EXPECT_EQ(range("udp_first_port = 45100\nudp_last_port = 45110\n"), "45100-45110");
  EXPECT_EQ(range("udp_first_port = 45100\nudp_last_port = 45102\n"),
            "live.udp_last_port: the 4 loops of live.threads take a port each, so it must be from "
            "45103 to 65535");
  EXPECT_TRUE(range("udp_first_port = 65533\n").starts_with("live.udp_last_port: "));
  EXPECT_TRUE(range("udp_last_port = 45102\n").starts_with("live.udp_last_port: is no range"));
}

// Rule media-reach-the-told-address.
TEST(MediaPort, WhatIsSentToAnotherAddressOfTheMachineArrivesAndThePublicOneIsTold) {
  crypto::SystemRandom random;
  const base::ManualClock clock{base::from_unix_seconds(1'795'000'000)};
  const auto loops =
      live::FaceLoops::open({.threads = 1, .port = options_of(proxied).value()}, random, clock)
          .value();
  const auto place = loops->enter().value();
  const auto& port = place.loop().port();
  ASSERT_EQ(port.candidates().size(), 1u);
  EXPECT_EQ(base::text_of(port.candidates()[0].address), "203.0.113.5");
  EXPECT_EQ(port.candidates()[0].port, port.port());
  // Not the one that the server listens on; all of 127.0.0.0/8 is this machine.
  media::UdpSocket client(*base::parse_address("127.0.0.2"), port.port());
  const std::array<std::uint8_t, 3> datagram{0xff, 0xff, 0xff};
  const auto end = std::chrono::steady_clock::now() + 10s;
  while (loops->strays().unreadable == 0 && std::chrono::steady_clock::now() < end) {
    client.send(datagram);
    std::this_thread::yield();
  }
  EXPECT_GT(loops->strays().unreadable, 0u);
}

}  // namespace
}  // namespace stagedoor::server
