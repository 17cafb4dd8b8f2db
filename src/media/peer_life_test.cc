// How sessions begin, change and end.
//
// SPDX-License-Identifier: Apache-2.0

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "media/client_for_test.h"
#include "media/rtp.h"

using namespace stagedoor;
using namespace stagedoor::media;
using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

namespace {

struct Session {
  TestWorld world;
  TestListener listener;
  std::unique_ptr<TestClient> client = world.client_at("198.51.100.7", 5001);
  PeerHandle peer = world.connect(*client, listener);

  std::size_t pictures_at(TestClient& who) {
    who.rtp.clear();
    EXPECT_TRUE(peer->send_picture(Buffer(100, 1), SampleTime(0)));
    world.settle();
    return who.rtp.size();
  }
};

}  // namespace

TEST(PeerLife, ADataChannelOpensAndCarriesMessagesBothWays) {
  Session session;
  session.client->open_channel(0, "session");
  session.world.pass(60ms);
  EXPECT_THAT(session.listener.labels, ElementsAre("session"));
  ASSERT_EQ(session.client->messages.size(), 1u);
  EXPECT_EQ(session.client->messages[0].payload_kind, 50u);
  EXPECT_EQ(session.client->messages[0].bytes, Buffer{2}) << "the acknowledgement";

  EXPECT_TRUE(session.client->send_message(0, 51, buffer_of("hello")));
  EXPECT_TRUE(session.client->send_message(0, 53, buffer_of("bytes")));
  EXPECT_TRUE(session.client->send_message(0, 56, buffer_of(std::string_view("\0", 1))));
  EXPECT_TRUE(session.peer->send_message(0, "answer"));
  session.world.pass(60ms);
  EXPECT_THAT(session.listener.messages, ElementsAre("hello", "bytes", ""));
  ASSERT_EQ(session.client->messages.size(), 2u);
  EXPECT_EQ(session.client->messages[1].payload_kind, 51u);
  EXPECT_EQ(text_of_bytes(session.client->messages[1].bytes), "answer");
  EXPECT_FALSE(session.peer->send_message(2, "no such channel"));
}

TEST(PeerLife, ALongMessageArrivesWholeAndOneOfAMebibyteIsRefusedWhileTheSessionLives) {
  Session session;
  session.client->open_channel(0, "session");
  session.world.pass(60ms);
  const std::string longest(65536, 'a');
  EXPECT_TRUE(session.client->send_message(0, 51, buffer_of(longest)));
  session.world.pass(1s);
  EXPECT_THAT(session.listener.messages, ElementsAre(longest));

  // Browsers keep to the size that the answer names; a rude client need not.
  ASSERT_TRUE(session.client->send_message(0, 51, Buffer(1 << 20, 'b')));
  session.world.pass(10s);
  EXPECT_THAT(session.listener.refused, ElementsAre(0));
  EXPECT_TRUE(session.client->send_message(0, 51, buffer_of("after")));
  session.world.pass(100ms);
  EXPECT_EQ(session.listener.messages.back(), "after");
  EXPECT_EQ(session.peer->send_message(0, std::string(65537, 'c')).error().code,
            base::ErrorCode::malformed);
  EXPECT_TRUE(session.peer->send_message(0, longest));
  session.world.pass(1s);
  EXPECT_EQ(text_of_bytes(session.client->messages.back().bytes), longest);
}

TEST(PeerLife, ChannelsThatOnlyALaterOfferHasWorkToo) {
  TestWorld world;
  TestListener listener;
  const auto client = world.client_at("198.51.100.7", 5001);
  world.attach(*client);
  const auto peer = world.board.open_peer(listener, {}).value();
  auto offer = client->offer();
  offer.replace(offer.find("BUNDLE 0 1 2"), 12, "BUNDLE 0 1");
  client->take_answer(peer->answer(offer).value());
  client->check();
  world.settle();
  client->start_dtls();
  world.pass(1s);
  client->open_channel(0, "session");
  world.pass(100ms);
  EXPECT_THAT(listener.labels, IsEmpty());
  ASSERT_TRUE(peer->answer(client->offer()));
  world.pass(10s);
  client->open_channel(0, "session");
  world.pass(100ms);
  EXPECT_THAT(listener.labels, ElementsAre("session"));
}

TEST(PeerLife, AtMostEightChannelsOpen) {
  Session session;
  for (std::uint16_t i = 0; i < 20; ++i) session.client->open_channel(2 * i, "channel");
  session.world.pass(500ms);
  EXPECT_EQ(session.listener.labels.size(), 8u);
}

TEST(PeerLife, AClientThatReadsNothingMakesUsHoldAtMostTheBuffer) {
  Session session;
  session.client->open_channel(0, "session");
  session.world.pass(60ms);
  session.world.clients.clear();  // nothing reaches it any more
  int taken = 0;
  while (taken < 1000 && session.peer->send_message(0, std::string(10000, 'x'))) ++taken;
  EXPECT_GT(taken, 5);
  EXPECT_LE(taken, 40);
}

TEST(PeerLife, APlainReOfferKeepsTheIceUserAndEverything) {
  Session session;
  const auto user = session.client->server_user;
  const auto answer = session.peer->answer(session.client->offer());
  ASSERT_TRUE(answer);
  EXPECT_EQ(line_of(*answer, "ice-ufrag"), user);
  EXPECT_EQ(session.pictures_at(*session.client), 1u);
  EXPECT_EQ(session.listener.connected, 1);
}

TEST(PeerLife, AnIceRestartChangesTheUserAndKeepsKeysAndChannels) {
  Session session;
  session.client->open_channel(0, "session");
  session.world.pass(60ms);
  const auto user = session.client->server_user, password = session.client->server_password;
  session.client->ice_user = "them2";
  session.client->take_answer(session.peer->answer(session.client->offer()).value());
  EXPECT_NE(session.client->server_user, user);

  // Until the new user has nominated, the old one is answered; the client may still be there.
  session.client->stun.clear();
  session.client->check({.user = user, .password = password});
  session.world.settle();
  EXPECT_EQ(session.client->stun.size(), 1u);

  // It comes back from another address, under the same keys.
  session.world.clients.clear();
  session.client->endpoint.port = 6001;
  session.world.attach(*session.client);
  session.client->check();
  session.world.settle();
  EXPECT_EQ(session.pictures_at(*session.client), 1u);
  EXPECT_TRUE(session.client->send_message(0, 51, buffer_of("moved")));
  session.world.pass(100ms);
  EXPECT_THAT(session.listener.messages, ElementsAre("moved"));
  EXPECT_EQ(session.listener.connected, 1);

  session.client->stun.clear();
  session.client->check({.user = user, .password = password});
  session.world.settle();
  EXPECT_THAT(session.client->stun, IsEmpty()) << "the old user is gone";
}

TEST(PeerLife, TheAddressLastNominatedIsTheOneSentTo) {
  Session session;
  const auto other = session.world.client_at("198.51.100.8", 7001);
  session.world.attach(*other);
  other->server_user = session.client->server_user;
  other->server_password = session.client->server_password;
  other->check({.nominates = false});
  session.world.settle();
  EXPECT_EQ(session.pictures_at(*session.client), 1u);
  const auto before = session.world.sent;
  other->check();
  session.world.settle();
  EXPECT_TRUE(session.peer->send_picture(Buffer(100, 1), SampleTime(0)));
  session.world.settle();
  EXPECT_THAT(session.client->rtp, testing::SizeIs(1));
  EXPECT_EQ(session.world.sent, before + 2);
}

TEST(PeerLife, AnotherClientInTheSamePlaceGetsKeysOfItsOwn) {
  Session session;
  session.client->open_channel(0, "session");
  session.world.pass(60ms);
  const auto second = session.world.client_at("198.51.100.9", 5005);
  second->ice_user = "second";
  session.world.attach(*second);
  second->take_answer(session.peer->answer(second->offer()).value());
  EXPECT_FALSE(session.peer->is_connected());
  second->check();
  session.world.settle();
  EXPECT_THAT(session.listener.closed, ElementsAre(0));
  second->start_dtls();
  session.world.settle();
  EXPECT_EQ(session.listener.connected, 2);
  EXPECT_EQ(session.pictures_at(*second), 1u);
  second->open_channel(0, "session");
  session.world.pass(60ms);
  EXPECT_EQ(session.listener.labels.size(), 2u);
}

TEST(PeerLife, AClientThatNeverStartsDtlsIsToldOfAndLeftUnanswered) {
  TestWorld world;
  TestListener listener;
  const auto client = world.client_at("198.51.100.7", 5001);
  world.attach(*client);
  const auto peer = world.board.open_peer(listener, {}).value();
  client->take_answer(peer->answer(client->offer()).value());
  for (int i = 0; i < 10; ++i) {
    client->check();
    world.pass(500ms);
    EXPECT_EQ(listener.late, 0);
  }
  world.pass(40ms);
  EXPECT_EQ(listener.late, 1);
  client->stun.clear();
  client->check();
  world.settle();
  EXPECT_THAT(client->stun, IsEmpty());

  // Its ICE restart makes the peer hear again.
  client->ice_user = "them2";
  client->take_answer(peer->answer(client->offer()).value());
  client->check();
  world.settle();
  EXPECT_EQ(client->stun.size(), 1u);
  client->start_dtls();
  world.settle();
  EXPECT_EQ(listener.connected, 1);
  EXPECT_THAT(listener.lost, IsEmpty());
}

TEST(PeerLife, AClientThatFallsSilentIsLostAfterFifteenSeconds) {
  Session session;
  session.world.pass(14900ms);
  EXPECT_THAT(session.listener.lost, IsEmpty());
  session.client->check();
  session.world.pass(14900ms);
  EXPECT_THAT(session.listener.lost, IsEmpty());
  EXPECT_GT(session.peer->silence(), 14s);
  session.world.pass(200ms);
  EXPECT_THAT(session.listener.lost, ElementsAre(LostReason::silent));
}

TEST(PeerLife, AClientHasThirtySecondsToMakeItsFirstOffer) {
  TestWorld world;
  TestListener listener;
  const auto peer = world.board.open_peer(listener, {}).value();
  world.pass(29900ms);
  EXPECT_THAT(listener.lost, IsEmpty());
  world.pass(200ms);
  EXPECT_THAT(listener.lost, ElementsAre(LostReason::silent));
}

TEST(PeerLife, AHangUpIsNoticedAtOnce) {
  Session session;
  session.client->hang_up();
  session.world.settle();
  EXPECT_THAT(session.listener.lost, ElementsAre(LostReason::hung_up));
  EXPECT_FALSE(session.peer->is_connected());
}

TEST(PeerLife, ClosingSaysGoodbyeAndNothingMore) {
  Session session;
  session.peer->close();
  session.world.settle();
  EXPECT_TRUE(session.client->is_closed);
  EXPECT_THAT(session.listener.lost, IsEmpty());
  session.client->stun.clear();
  session.client->check();
  session.world.settle();
  EXPECT_THAT(session.client->stun, IsEmpty());
  EXPECT_FALSE(session.peer->answer(session.client->offer()));
}

TEST(PeerLife, AHandleMayBeGivenUpWithinAnyCall) {
  for (int what = 0; what < 5; ++what) {
    Session session;
    session.client->open_channel(0, "session");
    session.world.pass(60ms);
    session.listener.on_any = [&] { session.peer.reset(); };
    if (what == 0) {
      ASSERT_TRUE(session.client->send_message(0, 51, buffer_of("one")));
      ASSERT_TRUE(session.client->send_message(0, 51, buffer_of("two")));
    }
    Buffer packet(14, 1);
    write_rtp_header(packet, {.payload_type = 111, .source = 1});
    if (what == 1) session.client->send_rtp(packet);
    if (what == 2) session.client->hang_up();
    if (what == 3) session.world.pass(16s);
    session.world.settle();
    if (what == 4) session.peer.reset();
    EXPECT_EQ(session.world.board.peers(), 0u) << what;
  }
}

TEST(PeerLife, AnAddressInUseIsNotTakenOverByAnotherSession) {
  Session session;
  TestListener other_listener;
  const auto other = session.world.client_at("198.51.100.20", 1);
  auto peer = session.world.board.open_peer(other_listener, {}).value();
  other->take_answer(peer->answer(other->offer()).value());
  // It has a session of its own, and forges the other's address.
  other->endpoint = session.client->endpoint;
  session.client->check();
  other->check();
  session.world.settle();
  Buffer packet(14, 1);
  write_rtp_header(packet, {.payload_type = 111, .source = 1});
  session.client->send_rtp(packet);
  session.world.settle();
  EXPECT_EQ(session.listener.sounds.size(), 1u);
  EXPECT_EQ(session.pictures_at(*session.client), 1u);
  // Once nobody has been there for a while, it is free.
  session.world.pass(4s);
  other->check();
  session.world.settle();
  session.client->send_rtp(packet);
  session.world.settle();
  EXPECT_EQ(session.listener.sounds.size(), 1u);
}

TEST(PeerLife, AnOfferThatCannotBePlayedChangesNothing) {
  Session session;
  const auto refused = session.peer->answer("v=0\r\nm=video 9 X 1\r\n");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, base::ErrorCode::unsupported);
  EXPECT_EQ(session.pictures_at(*session.client), 1u);
}

TEST(PeerLife, BeyondTheLimitNoPeerIsOpened) {
  TestWorld world(2);
  TestListener listener;
  const auto one = world.board.open_peer(listener, {}).value();
  auto two = world.board.open_peer(listener, {}).value();
  EXPECT_EQ(world.board.open_peer(listener, {}).error().code, base::ErrorCode::unavailable);
  two.reset();
  EXPECT_TRUE(world.board.open_peer(listener, {}).has_value());
}

TEST(PeerLife, SessionsOfSeveralLoopsShareOneStackAndHearOnlyTheirOwn) {
  const auto hold_sessions = [](std::uint8_t loop, int* heard) {
    const std::string mine(1, static_cast<char>('a' + loop));
    for (std::uint16_t i = 0; i < 20; ++i) {
      TestWorld world;
      TestListener listener;
      const auto client = world.client_at("198.51.100.7", static_cast<std::uint16_t>(1000 + i));
      const auto peer = world.connect(*client, listener);
      client->open_channel(0, mine);
      world.pass(40ms);
      for (int n = 0; n < 20; ++n) {
        static_cast<void>(client->send_message(0, 51, buffer_of(mine)));
        static_cast<void>(peer->send_message(0, mine));
        world.pass(20ms);
      }
      world.pass(200ms);
      for (const auto& message : listener.messages) *heard += message == mine;
      for (const auto& message : client->messages)
        *heard += message.payload_kind == 51 && text_of_bytes(message.bytes) == mine;
    }
  };
  static_cast<void>(test_stack());
  static_cast<void>(test_identity());
  std::array<int, 4> heard{};
  {
    std::vector<std::jthread> loops;
    for (std::uint8_t loop = 0; loop < heard.size(); ++loop)
      loops.emplace_back(hold_sessions, loop, &heard[loop]);
  }
  for (const auto count : heard) EXPECT_EQ(count, 20 * 40);
  EXPECT_EQ(test_stack().associations(), 0u);
}

TEST(PeerLife, TwoHundredSessionsLeaveNothingBehind) {
  TestWorld world;
  for (std::uint16_t i = 0; i < 200; ++i) {
    TestListener listener;
    const auto client = world.client_at("198.51.100.7", static_cast<std::uint16_t>(1000 + i));
    auto peer = world.connect(*client, listener);
    ASSERT_EQ(listener.connected, 1) << i;
    client->open_channel(0, "session");
    world.pass(20ms);
    if (i % 2) client->hang_up();
    world.settle();
    peer.reset();
    world.clients.clear();
  }
  EXPECT_EQ(world.board.peers(), 0u);
  EXPECT_EQ(world.board.users(), 0u);
  EXPECT_EQ(world.board.addresses(), 0u);
  EXPECT_EQ(test_stack().associations(), 0u);
}
