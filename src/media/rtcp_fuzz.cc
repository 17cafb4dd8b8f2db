// Any bytes as RTP and as RTCP: what is told lies within the bytes, and no packet tells more than
// its length can hold. Any stream of RTP packets can be reported on.
//
// SPDX-License-Identifier: Apache-2.0

#include <chrono>
#include <cstdlib>

#include "media/big_endian.h"
#include "media/rtp.h"

using namespace stagedoor::media;

namespace {

void must(bool holds) {
  if (!holds) std::abort();
}

struct Counter : RtcpListener {
  std::size_t told = 0;
  void on_report(const ReportBlock& block) override {
    must(block.packets_lost >= -0x800000 && block.packets_lost <= 0x7fffff);
    ++told;
  }
  void on_nack(std::uint32_t, std::uint16_t) override { ++told; }
  void on_picture_lost(std::uint32_t) override { ++told; }
  void on_key_frame_asked(std::uint32_t, std::uint8_t) override { ++told; }
  void on_bye(std::uint32_t) override { ++told; }
};

// Packets, each of: milliseconds since the one before, sequence number, timestamp.
void check_reception(Bytes rest) {
  Reception reception;
  RtpHeader header;
  Moment now{};
  for (; rest.size() >= 7; rest = rest.subspan(7)) {
    now += std::chrono::milliseconds(rest[0]);
    header.sequence_number = read_u16(&rest[1]);
    header.timestamp = read_u32(&rest[3]);
    reception.on_packet(header, now, 48000);
    if (rest[0] & 1) reception.on_sender_report(header.timestamp, now);
    must(reception.report(now).has_value());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Counter counter;
  const bool is_read = read_rtcp({data, size}, counter);
  must(is_read || counter.told == 0);
  must(counter.told <= size * 17 / 4);
  if (const auto packet = read_rtp({data, size})) {
    must(packet->payload.data() >= data && packet->payload.size() <= size);
    must(packet->payload.data() + packet->payload.size() <= data + size);
  }
  check_reception({data, size});
  return 0;
}
