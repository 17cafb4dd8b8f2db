// The outgoing pictures of one session: cut, numbered, protected, paced, and sent again on demand.
//
// A burst is at most 24 packets; what is left of a long picture goes with the next ticks, so that a
// key frame does not drown the sound behind it in somebody's router. What is sent again is at most
// 1 Mbit/s over time, whatever the receiver asks for, and one packet at most once per round trip.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>

#include "media/endpoint.h"
#include "media/sent_packets.h"
#include "media/srtp.h"

namespace stagedoor::media {

class PictureSender {
 public:
  static constexpr std::size_t picture_bytes_max = 256 * 1024;
  static constexpr std::size_t burst_packets = 24;

  PictureSender(std::uint32_t source, std::uint16_t first_number);

  // Makes the packets of a picture, to be taken by `next`. False: too long, or too much is still
  // waiting; then nothing was made.
  bool add(Srtp& srtp, std::uint8_t payload_type, Bytes frame, std::uint32_t timestamp);

  // The next packet to be sent; empty: none, or the burst of this tick is over.
  Bytes next();
  void begin_tick(Moment now);

  // A packet to be sent again; empty: it is not there, was sent again just now, or the allowance is
  // spent.
  Bytes again(std::uint16_t sequence_number, Moment now, std::chrono::milliseconds round_trip);

  // For other keys: what was sent under the old ones is gone.
  void forget();

  std::uint32_t source() const { return source_; }
  std::uint32_t packets() const { return packets_; }
  std::uint32_t payload_bytes() const { return payload_bytes_; }

 private:
  bool add_packet(Srtp& srtp, std::uint8_t payload_type, Bytes frame, std::size_t index,
                  std::uint32_t timestamp);

  std::uint32_t source_;
  std::uint16_t number_;   // of the next packet made
  std::uint16_t waiting_;  // of the next packet sent
  std::uint16_t picture_ = 0;
  std::size_t burst_left_ = burst_packets;
  std::uint32_t packets_ = 0, payload_bytes_ = 0;
  std::int64_t allowance_bytes_;
  Moment allowance_at_{};
  SentPackets sent_;
};

}  // namespace stagedoor::media
