// Any bytes as RTP and as RTCP: what is told lies within the bytes, and no packet tells more than
// its length can hold.
//
// SPDX-License-Identifier: Apache-2.0

#include <cstdlib>

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

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Counter counter;
  const bool is_read = read_rtcp({data, size}, counter);
  must(is_read || counter.told == 0);
  must(counter.told <= size * 17 / 4);
  if (const auto packet = read_rtp({data, size})) {
    must(packet->payload.data() >= data && packet->payload.size() <= size);
    must(packet->payload.data() + packet->payload.size() <= data + size);
    static Reception reception;
    reception.on_packet(packet->header, Moment(std::chrono::microseconds(size)), 48000);
    reception.report(Moment(std::chrono::seconds(1)));
  }
  return 0;
}
