// SPDX-License-Identifier: Apache-2.0

#include "media/port.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <set>
#include <string>
#include <vector>

#include "media/client_for_test.h"
#include "media/rtp.h"
#include "media/udp_socket_for_test.h"

using namespace stagedoor;
using namespace stagedoor::media;
using namespace std::chrono_literals;
using testing::ElementsAre;

namespace {

base::Address address(std::string_view text) {
  return *base::parse_address(text);
}

struct Machine {
  http::Loop loop;
  MediaClock clock{loop};
  crypto::SystemRandom random;
  base::SystemClock wall_clock;

  base::Result<std::unique_ptr<Port>> open(const PortOptions& options) {
    return Port::open({.loop = loop,
                       .clock = clock,
                       .stack = test_stack(),
                       .identity = test_identity(),
                       .random = random,
                       .wall_clock = wall_clock},
                      options);
  }
  PortOptions at(std::string_view bind) {
    PortOptions options;
    options.bind_address = address(bind);
    return options;
  }
  // False: it did not come true within five seconds.
  template <class Condition>
  bool run_until(Condition holds) {
    const auto end = std::chrono::steady_clock::now() + 5s;
    while (!holds() && std::chrono::steady_clock::now() < end) loop.io().run_one_for(10ms);
    return holds();
  }
};

// Plays a session with a port bound to `bind`, by way of `to`.
void play(std::string_view bind, std::string_view to) {
  Machine machine;
  TestListener listener;
  const auto port = machine.open(machine.at(bind)).value();
  UdpSocket socket(address(to), port->port());
  ASSERT_TRUE(socket.is_connected);
  TestClient client({address(to), 1}, [&](Bytes bytes, const Endpoint&) { socket.send(bytes); });
  const auto hear = [&] {
    for (auto bytes = socket.receive(); !bytes.empty(); bytes = socket.receive())
      client.on_datagram(bytes);
    client.on_tick(std::chrono::steady_clock::now());
  };
  auto peer = port->open_peer(listener, {}).value();
  client.take_answer(peer->answer(client.offer()).value());
  client.check();
  ASSERT_TRUE(machine.run_until([&] { return hear(), !client.stun.empty(); }));
  client.start_dtls();
  ASSERT_TRUE(machine.run_until([&] { return hear(), listener.connected == 1 && client.is_open; }));
  client.open_channel(0, "session");
  ASSERT_TRUE(peer->send_picture(Buffer(30 * 1136, 1), SampleTime(0)));
  ASSERT_TRUE(machine.run_until([&] {
    hear();
    if (listener.labels.empty()) client.open_channel(0, "session");
    return client.rtp.size() >= 30 && listener.labels.size() == 1;
  }));
  EXPECT_EQ(port->counts().not_sent, 0u);
  EXPECT_EQ(port->peers(), 1u);
  peer.reset();
  EXPECT_EQ(port->peers(), 0u);
}

}  // namespace

TEST(Port, ASessionPlaysOverIpv4) {
  play("127.0.0.1", "127.0.0.1");
}

TEST(Port, ASessionPlaysOverIpv6) {
  play("::1", "::1");
}

TEST(Port, BoundToAnyItAnswersFromTheAddressThatWasAsked) {
  play("::", "127.0.0.3");
  play("::", "::1");
  play("0.0.0.0", "127.0.0.3");
}

TEST(Port, TheFirstFreePortOfTheRangeIsTakenAndAFullRangeIsRefused) {
  Machine machine;
  const auto first = machine.open(machine.at("127.0.0.1")).value();
  auto options = machine.at("127.0.0.1");
  options.first_port = options.last_port = first->port();
  const auto refused = machine.open(options);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, base::ErrorCode::unavailable);
  options.last_port = static_cast<std::uint16_t>(std::min(65535, first->port() + 50));
  const auto second = machine.open(options).value();
  EXPECT_GT(second->port(), first->port());
  EXPECT_LE(second->port(), options.last_port);
}

TEST(Port, AnAddressThatIsNotHereIsRefused) {
  Machine machine;
  EXPECT_FALSE(machine.open(machine.at("203.0.113.77")));
}

TEST(Port, ClientsAreToldThePublicAddressesWithTheBoundPort) {
  Machine machine;
  auto options = machine.at("127.0.0.1");
  const auto plain = machine.open(options).value();
  EXPECT_THAT(plain->candidates(), ElementsAre(Endpoint{address("127.0.0.1"), plain->port()}));
  options.public_addresses = {address("203.0.113.5"), address("2001:db8::5")};
  const auto port = machine.open(options).value();
  EXPECT_THAT(port->candidates(), ElementsAre(Endpoint{address("203.0.113.5"), port->port()},
                                              Endpoint{address("2001:db8::5"), port->port()}));
  EXPECT_FALSE(machine.open(machine.at("::")).value()->candidates().empty());
}

TEST(Port, AFloodOfGarbageIsCountedAndDroppedWithoutAnAnswer) {
  Machine machine;
  const auto port = machine.open(machine.at("127.0.0.1")).value();
  UdpSocket socket(address("127.0.0.1"), port->port());
  for (int i = 0; i < 100; ++i) socket.send(Buffer(100, static_cast<std::uint8_t>(i * 3)));
  socket.send(Buffer(3000, 0x80));
  EXPECT_TRUE(machine.run_until([&] { return port->counts().datagrams_in == 101; }));
  const auto counts = port->counts();
  EXPECT_EQ(counts.too_long, 1u);
  EXPECT_EQ(counts.switchboard.garbage + counts.switchboard.unknown_addresses, 100u);
  EXPECT_EQ(counts.datagrams_out, 0u);
}

TEST(MediaClock, BeatsLieOnAFixedGridHoweverLateTheyCome) {
  Machine machine;
  std::vector<Beat> beats;
  auto subscription = machine.clock.subscribe([&](const Beat& beat) {
    beats.push_back(beat);
    // As if a picture took far too long.
    const auto end = std::chrono::steady_clock::now() + 70ms;
    while (beats.size() == 3 && std::chrono::steady_clock::now() < end) {
    }
  });
  ASSERT_TRUE(machine.run_until([&] { return beats.size() == 10; }));
  for (std::size_t i = 1; i < beats.size(); ++i) {
    EXPECT_GE(beats[i].now, beats[i].due);
    EXPECT_EQ(beats[i].due - beats[i - 1].due, 20ms * beats[i].periods);
  }
  EXPECT_GE(beats[3].periods, 3u);
  EXPECT_EQ(beats[0].periods, 1u);
}

TEST(MediaClock, TenSubscribersBeatInTenPhases) {
  Machine machine;
  std::vector<MediaClock::Subscription> subscriptions;
  std::set<std::int64_t> phases;
  for (int i = 0; i < 10; ++i)
    subscriptions.push_back(machine.clock.subscribe([&](const Beat& beat) {
      phases.insert((beat.due.time_since_epoch() / 1ns) % (20ms / 1ns));
    }));
  EXPECT_TRUE(machine.run_until([&] { return phases.size() == 10; }));
}

TEST(MediaClock, ASubscriptionMayEndWithinItsOwnBeat) {
  Machine machine;
  int beats = 0, others = 0;
  MediaClock::Subscription own, other;
  own = machine.clock.subscribe([&](const Beat&) {
    ++beats;
    own.end();
    other = machine.clock.subscribe([&](const Beat&) { ++others; });
  });
  EXPECT_TRUE(machine.run_until([&] { return others == 3; }));
  EXPECT_EQ(beats, 1);
  EXPECT_EQ(machine.clock.subscribers(), 1u);
  other.end();
  EXPECT_EQ(machine.clock.subscribers(), 0u);
}
