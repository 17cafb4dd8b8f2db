#include "media/sctp_packet.h"

#include <gtest/gtest.h>

#include <vector>

namespace stagedoor::media {
namespace {

using Packet = std::vector<std::uint8_t>;

Packet packet_of(Packet chunks) {
  Packet packet(12);
  packet.insert(packet.end(), chunks.begin(), chunks.end());
  return packet;
}

// INIT with these parameters.
Packet init_with(const Packet& parameters) {
  Packet chunk{1, 0, 0, static_cast<std::uint8_t>(20 + parameters.size())};
  chunk.resize(20, 9);
  chunk.insert(chunk.end(), parameters.begin(), parameters.end());
  return packet_of(chunk);
}

TEST(SctpPacket, IsSoundWhereChunksAndParametersLieWithinEachOther) {
  EXPECT_TRUE(has_sound_lengths(packet_of({})));
  EXPECT_TRUE(has_sound_lengths(init_with({})));
  EXPECT_TRUE(has_sound_lengths(init_with({0xc0, 0, 0, 4})));
  EXPECT_TRUE(has_sound_lengths(init_with({0x80, 8, 0, 6, 192, 130, 0, 0, 0xc0, 0, 0, 4})));
  EXPECT_TRUE(has_sound_lengths(init_with({0x80, 8, 0, 6, 192, 130}))) << "its padding may lack";
  EXPECT_TRUE(has_sound_lengths(packet_of({11, 0, 0, 4, 10, 0, 0, 5, 7, 0, 0, 0, 11, 0, 0, 4})));
}

TEST(SctpPacket, IsUnsoundWhereALengthIsTooSmallOrTooLarge) {
  EXPECT_FALSE(has_sound_lengths(Packet(11)));
  EXPECT_FALSE(has_sound_lengths(packet_of({11, 0, 0, 0}))) << "no chunk is shorter than its head";
  EXPECT_FALSE(has_sound_lengths(packet_of({11, 0, 0, 3})));
  EXPECT_FALSE(has_sound_lengths(packet_of({11, 0, 0, 5})));
  EXPECT_FALSE(
      has_sound_lengths(packet_of({1, 0, 0, 19, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0})));
  EXPECT_FALSE(has_sound_lengths(init_with({0, 0, 0, 0}))) << "usrsctp would stay there for ever";
  EXPECT_FALSE(has_sound_lengths(init_with({0xc0, 0, 0, 4, 0, 0, 0, 3})));
  EXPECT_FALSE(has_sound_lengths(init_with({0xc0, 0, 0, 5})));
  EXPECT_FALSE(has_sound_lengths(packet_of({130, 0, 0, 8, 0, 13, 0, 0})));
}

}  // namespace
}  // namespace stagedoor::media
