// The last packets sent, as they were protected, for receivers that ask for one again (RFC 4585).
//
// The very bytes are sent again: protecting a packet twice under one number would need two key
// streams, and a receiver takes the same packet only once anyway. A ring of 384 KiB and at most
// 512 packets; the oldest make room.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "media/endpoint.h"

namespace stagedoor::media {

class SentPackets {
 public:
  static constexpr std::size_t bytes_max = 384 * 1024;
  static constexpr std::size_t packets_max = 512;

  // Room for a packet to be made in. Gone with the next call.
  MutableBytes reserve(std::size_t size);
  // What was made there, of the number after the one before.
  void keep(std::uint16_t sequence_number, std::size_t size);

  // Empty: not (or no longer) there.
  Bytes find(std::uint16_t sequence_number) const;
  // As `find`, but empty also if it was asked for within `pause` before: a receiver that has not
  // got it by then asks again.
  Bytes find_to_resend(std::uint16_t sequence_number, Moment now, std::chrono::milliseconds pause);

  void clear();

 private:
  struct Entry {
    std::uint32_t offset = 0;
    std::uint16_t size = 0;
    std::uint16_t sequence_number = 0;
    Moment resent_at{};
  };
  const Entry* entry_of(std::uint16_t sequence_number) const;
  const Entry& oldest() const { return entries_[first_]; }
  void forget_oldest();

  std::unique_ptr<std::uint8_t[]> bytes_;  // made with the first packet
  std::array<Entry, packets_max> entries_;
  std::size_t first_ = 0, count_ = 0;
  std::size_t head_ = 0;  // where the next one goes
};

}  // namespace stagedoor::media
