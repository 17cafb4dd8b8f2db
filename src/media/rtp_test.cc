// SPDX-License-Identifier: Apache-2.0

#include "media/rtp.h"

#include <gtest/gtest.h>

#include <chrono>
#include <vector>

#include "base/text.h"
#include "media/sent_packets.h"
#include "media/vp8_payload.h"

using namespace stagedoor;
using namespace stagedoor::media;
using namespace std::chrono_literals;

namespace {

using Buffer = std::vector<std::uint8_t>;

Buffer bytes_of(std::string_view hex) {
  return base::from_hex(hex).value();
}

struct Heard : RtcpListener {
  std::vector<ReportBlock> reports;
  std::vector<SenderReport> sender_reports;
  std::vector<std::uint16_t> nacks;
  int picture_losses = 0, byes = 0;
  std::vector<std::uint8_t> commands;
  void on_report(const ReportBlock& block) override { reports.push_back(block); }
  void on_sender_report(const SenderReport& report) override { sender_reports.push_back(report); }
  void on_nack(std::uint32_t, std::uint16_t number) override { nacks.push_back(number); }
  void on_picture_lost(std::uint32_t) override { ++picture_losses; }
  void on_key_frame_asked(std::uint32_t, std::uint8_t command) override {
    commands.push_back(command);
  }
  void on_bye(std::uint32_t) override { ++byes; }
};

RtpHeader header_of(std::uint16_t number) {
  RtpHeader header;
  header.sequence_number = number;
  header.timestamp = number * 960u;
  header.source = 7;
  return header;
}

}  // namespace

TEST(Rtp, AHeaderIsReadAsItWasWritten) {
  const RtpHeader header{.payload_type = 96,
                         .is_last_of_picture = true,
                         .sequence_number = 0xfffe,
                         .timestamp = 0xfedcba98,
                         .source = 0x01020304};
  Buffer packet(14, 0xee);
  write_rtp_header(packet, header);
  const auto read = read_rtp(packet);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->header.payload_type, 96);
  EXPECT_TRUE(read->header.is_last_of_picture);
  EXPECT_EQ(read->header.sequence_number, 0xfffe);
  EXPECT_EQ(read->header.timestamp, 0xfedcba98);
  EXPECT_EQ(read->header.source, 0x01020304u);
  EXPECT_EQ(read->payload.size(), 2u);
}

TEST(Rtp, SourcesExtensionsAndPaddingAreNoPayload) {
  const auto packet = bytes_of(
      "b16f000100000002000000030000000a"  // one contributing source, an extension, padding
      "bede0001aabbccdd"
      "112233"
      "000003");
  const auto read = read_rtp(packet);
  ASSERT_TRUE(read);
  EXPECT_EQ(base::hex(read->payload), "112233");
}

TEST(Rtp, APacketThatSaysMoreThanItHoldsIsNotRead) {
  EXPECT_FALSE(read_rtp(bytes_of("806f0001000000020000")));
  EXPECT_FALSE(read_rtp(bytes_of("8f6f00010000000200000003")));
  EXPECT_FALSE(read_rtp(bytes_of("906f00010000000200000003bede0001")));
  EXPECT_FALSE(read_rtp(bytes_of("a06f0001000000020000000311ff")));
  EXPECT_FALSE(read_rtp(bytes_of("a06f000100000002000000031100")));
  EXPECT_FALSE(read_rtp(bytes_of("406f00010000000200000003")));
}

TEST(Rtcp, ASenderReportIsReadAsItWasWrittenAndEndsOnFourBytes) {
  const SenderReport report{.source = 1,
                            .ntp_time = 0x1122334455667788,
                            .timestamp = 9,
                            .packets = 10,
                            .payload_bytes = 11};
  const ReportBlock block{.source = 2,
                          .fraction_lost = 3,
                          .packets_lost = -4,
                          .highest_sequence = 5,
                          .jitter = 6,
                          .last_sender_report = 7,
                          .delay = 8};
  for (const std::string cname : {"", "a", "ab", "abc", "avatar"}) {
    Buffer out(sender_report_max);
    out.resize(write_sender_report(out, report, block, cname));
    EXPECT_EQ(out.size() % 4, 0u);
    Heard heard;
    ASSERT_TRUE(read_rtcp(out, heard));
    ASSERT_EQ(heard.sender_reports.size(), 1u);
    EXPECT_EQ(heard.sender_reports[0].ntp_time, 0x1122334455667788u);
    EXPECT_EQ(heard.sender_reports[0].timestamp, 9u);
    ASSERT_EQ(heard.reports.size(), 1u);
    EXPECT_EQ(heard.reports[0].packets_lost, -4);
    EXPECT_EQ(heard.reports[0].delay, 8u);
  }
}

TEST(Rtcp, ACompoundOfReportNackAndPictureLossIsToldInOrder) {
  const auto compound = bytes_of(
      "81c9000700000001000000021900000500010203000000090000000a0000000b"  // RR
      "81cd00030000000100000002006400c1"                                  // NACK 100 and 3 more
      "81ce00020000000100000002"                                          // PLI
      "84ce000400000001000000000000000205000000"                          // FIR, command 5
      "81cb000100000001");                                                // BYE
  Heard heard;
  ASSERT_TRUE(read_rtcp(compound, heard));
  ASSERT_EQ(heard.reports.size(), 1u);
  EXPECT_EQ(heard.reports[0].fraction_lost, 0x19);
  EXPECT_EQ(heard.reports[0].packets_lost, 5);
  EXPECT_EQ(heard.reports[0].highest_sequence, 0x00010203u);
  EXPECT_EQ(heard.nacks, (std::vector<std::uint16_t>{100, 101, 107, 108}));
  EXPECT_EQ(heard.picture_losses, 1);
  EXPECT_EQ(heard.commands, (std::vector<std::uint8_t>{5}));
  EXPECT_EQ(heard.byes, 1);
}

TEST(Rtcp, ABrokenCompoundTellsNothingAtAll) {
  const auto good = bytes_of("81ce0002000000010000000281cb000100000001");
  for (std::size_t size = 0; size < good.size(); ++size) {
    if (size == 12) continue;  // where the first packet ends
    Heard heard;
    EXPECT_FALSE(read_rtcp(Bytes(good).first(size), heard)) << size;
    EXPECT_EQ(heard.picture_losses, 0);
  }
}

TEST(Rtcp, ReportBlocksThatAreNotThereAreNotTold) {
  Heard heard;
  EXPECT_TRUE(read_rtcp(bytes_of("9fc9000100000001"), heard));  // says 31 blocks
  EXPECT_TRUE(heard.reports.empty());
}

TEST(Reception, LossAndDuplicatesAreCountedAsTheRfcDoes) {
  Reception reception;
  Moment now{};
  int fresh = 0;
  for (std::uint16_t number = 65530; number != 10; ++number) {
    now += 20ms;
    if (number == 65533 || number == 3) continue;
    fresh += reception.on_packet(header_of(number), now, 48000);
  }
  EXPECT_FALSE(reception.on_packet(header_of(9), now, 48000)) << "a duplicate";
  EXPECT_EQ(fresh, 14);
  const auto report = reception.report(now);
  ASSERT_TRUE(report);
  EXPECT_EQ(report->packets_lost, 2);
  EXPECT_EQ(report->fraction_lost, 2 * 256 / 16);
  EXPECT_EQ(report->highest_sequence, 65536u + 9);
  EXPECT_TRUE(reception.on_packet(header_of(3), now, 48000)) << "late, but not heard before";
  EXPECT_EQ(reception.report(now)->packets_lost, 1);
}

TEST(Reception, AJumpOfHalfTheCircleOfTimesIsTheLargestJitterAndNoLess) {
  Reception reception;
  auto header = header_of(1);
  reception.on_packet(header, Moment{}, 48000);
  header.sequence_number = 2;
  header.timestamp += 0x80000000u;
  reception.on_packet(header, Moment{}, 48000);
  EXPECT_EQ(reception.report(Moment{})->jitter, 0x80000000u / 16);
}

TEST(Vp8Payload, AFrameComesBackWholeFromPayloadsOfLikeLength) {
  for (const std::size_t size : {1u, 1136u, 1137u, 5000u, 100000u}) {
    Buffer frame(size);
    for (std::size_t i = 0; i < size; ++i) frame[i] = static_cast<std::uint8_t>(i * 7);
    Buffer joined, out(vp8_payload_max);
    const auto count = vp8_payload_count(size);
    for (std::size_t i = 0; i < count; ++i) {
      const auto length = write_vp8_payload(out, frame, i, 0x7fff);
      ASSERT_LE(length, vp8_payload_max);
      EXPECT_EQ(out[0], i == 0 ? 0x90 : 0x80);
      EXPECT_EQ(base::hex(Bytes(out).subspan(1, 3)), "80ffff");
      joined.insert(joined.end(), out.begin() + 4, out.begin() + static_cast<long>(length));
    }
    EXPECT_EQ(joined, frame);
  }
  EXPECT_EQ(vp8_payload_count(0), 0u);
}

TEST(SentPackets, TheLast512AreThereAcrossTheWrapOfNumbers) {
  SentPackets sent;
  std::uint16_t number = 65000;
  for (int i = 0; i < 3000; ++i, ++number) {
    const std::size_t size = 400 + static_cast<std::size_t>(i % 300);
    const auto room = sent.reserve(size + 16);
    std::fill(room.begin(), room.end(), static_cast<std::uint8_t>(number));
    sent.keep(number, size);
  }
  for (std::uint16_t back = 1; back <= 512; ++back) {
    const auto wanted = static_cast<std::uint16_t>(number - back);
    const auto found = sent.find(wanted);
    ASSERT_FALSE(found.empty()) << back;
    EXPECT_EQ(found.front(), static_cast<std::uint8_t>(wanted));
    EXPECT_EQ(found.back(), static_cast<std::uint8_t>(wanted));
  }
  EXPECT_TRUE(sent.find(static_cast<std::uint16_t>(number - 513)).empty());
  EXPECT_TRUE(sent.find(number).empty());
}

TEST(SentPackets, LongOnesMakeTheOldestGiveWayAndNeverOverlap) {
  SentPackets sent;
  for (std::uint16_t number = 0; number < 2000; ++number) {
    const auto room = sent.reserve(1180);
    std::fill(room.begin(), room.end(), static_cast<std::uint8_t>(number));
    sent.keep(number, 1170);
  }
  int there = 0;
  for (std::uint16_t number = 0; number < 2000; ++number) {
    const auto found = sent.find(number);
    if (found.empty()) continue;
    ++there;
    for (const auto byte : found) ASSERT_EQ(byte, static_cast<std::uint8_t>(number));
  }
  EXPECT_GT(there, 300);
}

TEST(SentPackets, OneIsNotSentAgainTwiceWithinThePause) {
  SentPackets sent;
  sent.reserve(100);
  sent.keep(5, 80);
  const Moment now{10s};
  EXPECT_FALSE(sent.find_to_resend(5, now, 20ms).empty());
  EXPECT_TRUE(sent.find_to_resend(5, now + 19ms, 20ms).empty());
  EXPECT_FALSE(sent.find_to_resend(5, now + 20ms, 20ms).empty());
}
