// Any bytes as messages on streams: never more channels than the limit, nothing told of a channel
// that is not open, no label beyond its limit; and any bytes as an SCTP packet, as they are and as
// chunks under a header that this association accepts.
//
// SPDX-License-Identifier: Apache-2.0

#include <algorithm>
#include <array>
#include <cstdlib>
#include <set>
#include <vector>

#include "media/big_endian.h"
#include "media/data_channel.h"

using namespace stagedoor::media;

namespace {

void must(bool holds) {
  if (!holds) std::abort();
}

constexpr std::size_t sctp_header_bytes = 12, init_tag_at = 16;

struct Watch : DataChannelListener {
  std::set<ChannelId> open;
  std::uint32_t our_tag = 0;  // out of the INIT that we send
  void on_channel_packet(Bytes packet) override {
    if (our_tag == 0 && packet.size() >= init_tag_at + 4) our_tag = read_u32(&packet[init_tag_at]);
  }
  void on_channel_open(ChannelId channel, std::string_view label) override {
    must(open.insert(channel).second && open.size() <= DataChannels::channels_max);
    must(label.size() <= DataChannels::label_bytes_max);
  }
  void on_channel_message(ChannelId channel, MessageKind, std::string_view) override {
    must(open.contains(channel));
  }
  void on_channel_message_refused(ChannelId channel) override { must(open.contains(channel)); }
  void on_channel_closed(ChannelId channel) override { must(open.erase(channel) == 1); }
};

std::uint32_t crc32c(Bytes bytes) {
  std::uint32_t crc = ~0u;
  for (const auto byte : bytes) {
    crc ^= byte;
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);
  }
  return ~crc;
}

// RFC 9260 3.1. A packet with INIT has no tag yet.
std::vector<std::uint8_t> packet_of(Bytes chunks, std::uint32_t tag) {
  std::vector<std::uint8_t> packet(sctp_header_bytes);
  write_u16(&packet[0], 5000);
  write_u16(&packet[2], 5000);
  write_u32(&packet[4], !chunks.empty() && chunks[0] == 1 ? 0 : tag);
  packet.insert(packet.end(), chunks.begin(), chunks.end());
  packet.resize((packet.size() + 3) & ~std::size_t{3});
  const auto crc = crc32c(packet);
  for (int i = 0; i < 4; ++i) packet[8 + i] = static_cast<std::uint8_t>(crc >> 8 * i);
  return packet;
}

// Packets, each of: length, chunks.
void check_packets(DataChannels& channels, const Watch& watch, Bytes rest) {
  channels.on_packet(rest);
  while (rest.size() > 1) {
    const auto length = std::min<std::size_t>(rest[0], rest.size() - 1);
    channels.on_packet(packet_of(rest.subspan(1, length), watch.our_tag));
    rest = rest.subspan(1 + length);
  }
}

// Messages, each of: stream, kind, length, bytes.
void check_messages(DataChannels& channels, Bytes rest) {
  while (rest.size() > 3) {
    SctpMessage message;
    message.stream = rest[0] & 15;
    message.payload_kind = rest[1] & 63;
    message.is_too_long = rest[1] & 128;
    const auto length = std::min<std::size_t>(rest[2], rest.size() - 3);
    if (!message.is_too_long)
      message.bytes.assign(rest.begin() + 3, rest.begin() + 3 + static_cast<long>(length));
    channels.on_sctp_message(message);
    rest = rest.subspan(3 + length);
  }
}

}  // namespace

// What usrsctp frees later, by its timers, would be looked for as a leak after every input.
extern "C" const char* __asan_default_options() {
  return "detect_leaks=0";
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Stack stack;
  // What is closed goes with usrsctp's timers, so time passes.
  static Moment now(std::chrono::seconds(1));
  Watch watch;
  auto channels = DataChannels::open(stack, watch, {});
  must(channels.has_value());
  (*channels)->on_tick(now += std::chrono::seconds(1));
  check_packets(**channels, watch, {data, size});
  check_messages(**channels, {data, size});
  return 0;
}
