// SPDX-License-Identifier: Apache-2.0

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include "media/client_for_test.h"
#include "media/rtp.h"

using namespace stagedoor;
using namespace stagedoor::media;
using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

namespace {

Buffer rtp_of(std::uint16_t number, std::string_view payload, std::uint8_t payload_type = 111,
              std::uint32_t source = 4242) {
  Buffer packet(rtp_header_bytes);
  RtpHeader header;
  header.payload_type = payload_type;
  header.sequence_number = number;
  header.timestamp = number * 960u;
  header.source = source;
  write_rtp_header(packet, header);
  packet.insert(packet.end(), payload.begin(), payload.end());
  return packet;
}

// Transport-layer feedback NACK, payload-specific feedback PLI and FIR.
Buffer feedback(std::uint8_t format, std::uint8_t type, std::uint32_t source, Bytes items) {
  Buffer packet(12);
  packet[0] = 0x80 | format;
  packet[1] = type;
  write_u32(&packet[4], 4242);
  write_u32(&packet[8], source);
  packet.insert(packet.end(), items.begin(), items.end());
  write_u16(&packet[2], static_cast<std::uint16_t>(packet.size() / 4 - 1));
  return packet;
}

Buffer nack_of(std::uint32_t source, std::uint16_t number) {
  std::uint8_t item[4]{};
  write_u16(item, number);
  return feedback(1, 205, source, item);
}

struct Session {
  TestWorld world;
  TestListener listener;
  std::unique_ptr<TestClient> client = world.client_at("198.51.100.7", 5001);
  PeerHandle peer = world.connect(*client, listener);

  std::uint32_t picture_source() const {
    for (const auto& packet : client->rtp)
      if (read_rtp(packet)->header.payload_type == 96) return read_rtp(packet)->header.source;
    return 0;
  }
};

Buffer frame_of(std::size_t size) {
  return Buffer(size, 0x5a);
}

}  // namespace

TEST(Peer, AClientGetsThroughHandshakeAndPlaysPictureAndSound) {
  Session session;
  EXPECT_EQ(session.listener.connected, 1);
  EXPECT_TRUE(session.peer->is_connected());
  EXPECT_TRUE(session.client->is_open);
  EXPECT_EQ(session.client->shown_fingerprint, session.client->server_fingerprint);
  ASSERT_TRUE(session.peer->send_picture(frame_of(3000), SampleTime(1920)));
  ASSERT_TRUE(session.peer->send_sound(buffer_of("opus"), SampleTime(1920)));
  session.world.settle();
  ASSERT_EQ(session.client->rtp.size(), 4u);
  std::string frame;
  for (int i = 0; i < 3; ++i) {
    const auto packet = read_rtp(session.client->rtp[static_cast<std::size_t>(i)]);
    EXPECT_EQ(packet->header.payload_type, 96);
    EXPECT_EQ(packet->header.is_last_of_picture, i == 2);
    frame += text_of_bytes(packet->payload.subspan(4));
  }
  EXPECT_EQ(frame, std::string(3000, 0x5a));
  const auto sound = read_rtp(session.client->rtp[3]);
  EXPECT_EQ(sound->header.payload_type, 111);
  EXPECT_EQ(text_of_bytes(sound->payload), "opus");
}

TEST(Peer, SoundOfTheClientArrivesOnceAndOnlyAsTheAnswerSays) {
  Session session;
  session.client->send_rtp(rtp_of(1, "one"));
  session.client->send_rtp(rtp_of(2, "two"));
  session.client->send_rtp(rtp_of(3, "of a codec not agreed", 9));
  session.world.settle();
  const auto replay = session.world.sent;
  EXPECT_THAT(session.listener.sounds, ElementsAre("one", "two"));
  EXPECT_EQ(session.peer->counts().dropped, 1u);
  EXPECT_EQ(session.world.sent, replay);
}

TEST(Peer, MediaThatIsForgedOrReplayedIsDropped) {
  Session session;
  session.client->send_rtp(rtp_of(1, "one"));
  const auto protected_packet = session.world.wire.back().bytes;
  session.world.settle();
  session.client->send_raw(protected_packet);
  auto forged = protected_packet;
  forged[13] ^= 1;
  session.client->send_raw(forged);
  session.client->send_raw(rtp_of(2, "in the clear, with room for what might be a tag"));
  session.world.settle();
  EXPECT_THAT(session.listener.sounds, ElementsAre("one"));
  EXPECT_EQ(session.peer->counts().dropped, 3u);
}

TEST(Peer, AClientCannotMakeUsKeepStateForMoreThanEightSources) {
  Session session;
  for (std::uint32_t source = 1; source <= 100; ++source)
    session.client->send_rtp(rtp_of(1, "x", 111, source));
  session.world.settle();
  EXPECT_EQ(session.listener.sounds.size(), 8u);
}

// Rule media-to-proven-addresses.
TEST(Peer, NothingIsSentToAnAddressThatOnlyDatagramsCameFrom) {
  Session session;
  const auto stranger = session.world.client_at("192.0.2.66", 9);
  session.world.attach(*stranger);
  const auto before = session.world.sent;
  stranger->send_raw(rtp_of(1, "media of an unknown ICE user"));
  stranger->check({.user = "nobody", .password = "x"});
  stranger->send_raw(buffer_of("\x16\xfe\xfd and more"));
  session.world.settle();
  EXPECT_EQ(session.world.sent, before);
  // A known user under a wrong password gets an error of a few bytes, and no media.
  stranger->check({.user = session.client->server_user, .password = "wrong"});
  session.world.settle();
  ASSERT_EQ(stranger->stun.size(), 1u);
  EXPECT_EQ(read_stun(stranger->stun[0])->kind, StunKind::error);
  ASSERT_TRUE(session.peer->send_picture(frame_of(100), SampleTime(0)));
  session.world.settle();
  EXPECT_THAT(stranger->rtp, IsEmpty());
  EXPECT_EQ(session.client->rtp.size(), 1u);
  EXPECT_EQ(session.world.board.counts().unknown_users, 2u);
  EXPECT_EQ(session.world.board.counts().unknown_addresses, 2u);
}

TEST(Peer, EachFaultyCheckGetsItsError) {
  Session session;
  const auto code_for = [&](CheckWish wish) {
    session.client->stun.clear();
    session.client->check(std::move(wish));
    session.world.settle();
    if (session.client->stun.size() != 1) return 0;
    const auto& answer = session.client->stun[0];
    return read_stun(answer)->kind == StunKind::error ? answer[26] * 100 + answer[27] : 200;
  };
  EXPECT_EQ(code_for({}), 200);
  EXPECT_EQ(code_for({.has_integrity = false}), 400);
  EXPECT_EQ(code_for({.password = "wrong"}), 401);
  EXPECT_EQ(code_for({.odd_attribute = 0x7abc}), 420);
  EXPECT_EQ(code_for({.is_controlled = true}), 487);
}

TEST(Peer, TheSuccessTellsTheClientWhereItIsSeen) {
  Session session;
  ASSERT_FALSE(session.client->stun.empty());
  const auto& answer = session.client->stun[0];
  const auto read = read_stun(answer);
  EXPECT_EQ(read->mapped, session.client->endpoint);
  EXPECT_TRUE(has_integrity(*read, answer,
                            crypto::HmacSha1Key(base::Secret(session.client->server_password))));
}

// Rule media-certificate-of-the-offer.
TEST(Peer, AClientWithAnotherCertificateThanItsOfferNamedNeverGetsKeys) {
  TestWorld world;
  TestListener listener;
  const auto client = world.client_at("198.51.100.7", 5001);
  const auto thief = world.client_at("198.51.100.7", 5002);
  world.attach(*thief);
  const auto peer = world.board.open_peer(listener, {}).value();
  // The thief has the answer, but not the key of the certificate that the offer named.
  thief->take_answer(peer->answer(client->offer()).value());
  thief->check();
  world.settle();
  thief->start_dtls();
  world.settle();
  EXPECT_EQ(listener.connected, 0);
  EXPECT_FALSE(peer->is_connected());
  EXPECT_THAT(listener.lost, ElementsAre(LostReason::handshake_failed));
}

TEST(Peer, APictureAskedForAgainIsSentAgainByteForByte) {
  Session session;
  ASSERT_TRUE(session.peer->send_picture(frame_of(100), SampleTime(0)));
  session.world.settle();
  const auto source = session.picture_source();
  session.client->loses_pictures = true;
  ASSERT_TRUE(session.peer->send_picture(frame_of(100), SampleTime(1920)));
  session.world.settle();
  ASSERT_EQ(session.client->lost_rtp.size(), 1u);
  const auto lost = session.client->lost_rtp[0];
  session.client->loses_pictures = false;
  session.client->send_rtcp(nack_of(source, read_u16(&lost[2])));
  session.world.settle();
  ASSERT_EQ(session.client->rtp.size(), 2u);
  EXPECT_EQ(read_rtp(session.client->rtp[1])->header.sequence_number, read_u16(&lost[2]));
  EXPECT_EQ(session.peer->counts().picture_packets_resent, 1u);
}

TEST(Peer, WhatIsSentAgainIsBoundedWhateverTheClientAsks) {
  Session session;
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(session.peer->send_picture(frame_of(1000), SampleTime(1920 * i)));
    session.world.pass(20ms);
  }
  const auto source = session.picture_source();
  const auto first = read_rtp(session.client->rtp[0])->header.sequence_number;
  for (int round = 0; round < 50; ++round) {
    for (std::uint16_t i = 0; i < 100; ++i)
      session.client->send_rtcp(nack_of(source, static_cast<std::uint16_t>(first + i)));
    session.world.pass(20ms);
  }
  // A second at 1 Mbit/s, and what was saved before.
  EXPECT_LE(session.peer->counts().picture_packets_resent, 2 * 125u + 10);
}

TEST(Peer, AKeyFrameIsWantedOnPictureLossAndOnFirButNotTenTimesASecond) {
  Session session;
  ASSERT_TRUE(session.peer->send_picture(frame_of(100), SampleTime(0)));
  session.world.settle();
  const auto source = session.picture_source();
  for (int i = 0; i < 100; ++i) session.client->send_rtcp(feedback(1, 206, source, {}));
  session.world.settle();
  EXPECT_EQ(session.listener.key_frames, 1);
  session.world.pass(320ms);
  EXPECT_EQ(session.listener.key_frames, 2) << "the wish after the first is kept";
  session.world.pass(1s);
  EXPECT_EQ(session.listener.key_frames, 2);
  std::uint8_t command[8]{};
  write_u32(command, source);
  command[4] = 7;
  session.client->send_rtcp(feedback(4, 206, source, command));
  session.world.pass(400ms);
  session.client->send_rtcp(feedback(4, 206, source, command));
  session.world.pass(400ms);
  EXPECT_EQ(session.listener.key_frames, 3) << "the same command is the same wish";
}

TEST(Peer, ReportsOfBothStreamsLieOnOneLineInTime) {
  Session session;
  for (int i = 0; i < 80; ++i) {
    if (i % 2 == 0) {
      ASSERT_TRUE(session.peer->send_picture(frame_of(100), SampleTime(960 * i)));
    }
    ASSERT_TRUE(session.peer->send_sound(buffer_of("opus"), SampleTime(960 * i)));
    session.world.pass(20ms);
  }
  struct : RtcpListener {
    std::map<std::uint32_t, SenderReport> last;
    void on_sender_report(const SenderReport& report) override { last[report.source] = report; }
  } heard;
  for (const auto& packet : session.client->rtcp) ASSERT_TRUE(read_rtcp(packet, heard));
  ASSERT_EQ(heard.last.size(), 2u);
  std::map<std::uint8_t, RtpHeader> first;
  for (const auto& packet : session.client->rtp) {
    const auto header = read_rtp(packet)->header;
    first.try_emplace(header.payload_type, header);
  }
  const auto picture = heard.last.at(first.at(96).source),
             sound = heard.last.at(first.at(111).source);
  EXPECT_EQ(picture.ntp_time, sound.ntp_time);
  // The same time since sample 0 by both clocks.
  EXPECT_EQ((picture.timestamp - first.at(96).timestamp) * 8u / 15u,
            sound.timestamp - first.at(111).timestamp);
  EXPECT_GE(picture.packets, 25u);
}

TEST(Peer, WhatTheReceiverReportsIsTold) {
  Session session;
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(session.peer->send_picture(frame_of(100), SampleTime(1920 * i)));
    session.world.pass(40ms);
  }
  ASSERT_FALSE(session.client->rtcp.empty());
  const auto middle = read_u32(&session.client->rtcp[0][10]);
  Buffer report(32);
  report[0] = 0x81;
  report[1] = 201;
  write_u16(&report[2], 7);
  write_u32(&report[4], 4242);
  write_u32(&report[8], session.picture_source());
  write_u32(&report[12], 64u << 24 | 5);
  write_u32(&report[20], 900);
  write_u32(&report[24], middle);
  write_u32(&report[28], 65536 / 10);
  session.client->send_rtcp(report);
  session.world.settle();
  const auto& path = session.peer->path();
  EXPECT_EQ(path.reports, 1u);
  EXPECT_DOUBLE_EQ(path.fraction_lost, 0.25);
  EXPECT_EQ(path.packets_lost, 5);
  EXPECT_EQ(path.jitter, 10ms);
  ASSERT_TRUE(path.round_trip);
  EXPECT_GT(*path.round_trip, 200ms);
  EXPECT_LT(*path.round_trip, 400ms);
}

TEST(Peer, ALongPictureIsSentInBurstsOverTheNextTicks) {
  Session session;
  ASSERT_TRUE(session.peer->send_picture(frame_of(60 * 1136), SampleTime(0)));
  session.world.settle();
  EXPECT_EQ(session.client->rtp.size(), 24u);
  session.world.pass(20ms);
  EXPECT_EQ(session.client->rtp.size(), 48u);
  session.world.pass(20ms);
  EXPECT_EQ(session.client->rtp.size(), 60u);
  EXPECT_FALSE(session.peer->send_picture(frame_of(257 * 1024), SampleTime(1920)));
  EXPECT_FALSE(session.peer->send_picture({}, SampleTime(1920)));
}

TEST(Peer, AfterGarbageOnEveryInputTheSessionPlaysOn) {
  Session session;
  std::uint32_t state = 12345;
  const auto next = [&] {
    return static_cast<std::uint8_t>((state = state * 1664525 + 1013904223) >> 24);
  };
  for (int i = 0; i < 5000; ++i) {
    Buffer garbage(1 + next() % 200);
    for (auto& byte : garbage) byte = next();
    const std::uint8_t firsts[] = {0, 1, 20, 22, 23, 63, 64, 128, 144, 191, 255};
    garbage[0] = firsts[next() % std::size(firsts)];
    session.client->send_raw(garbage);
  }
  session.client->send_rtcp(buffer_of("\x80\xc8\x00\xff garbage in a genuine envelope.."));
  session.world.settle();
  EXPECT_THAT(session.listener.lost, IsEmpty());
  session.client->send_rtp(rtp_of(1, "still here"));
  session.client->open_channel(0, "session");
  session.world.pass(100ms);
  EXPECT_THAT(session.listener.sounds, ElementsAre("still here"));
  EXPECT_THAT(session.listener.labels, ElementsAre("session"));
}

TEST(Peer, SendingBeforeTheHandshakeIsRefused) {
  TestWorld world;
  TestListener listener;
  const auto peer = world.board.open_peer(listener, {}).value();
  EXPECT_FALSE(peer->send_picture(frame_of(100), SampleTime(0)));
  EXPECT_FALSE(peer->send_sound(buffer_of("opus"), SampleTime(0)));
  EXPECT_FALSE(peer->send_message(0, "text"));
}
