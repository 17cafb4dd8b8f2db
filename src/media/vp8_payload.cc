// SPDX-License-Identifier: Apache-2.0

#include "media/vp8_payload.h"

#include <algorithm>

namespace stagedoor::media {

namespace {
constexpr std::size_t part_max = vp8_payload_max - vp8_descriptor_bytes;
}

std::size_t vp8_payload_count(std::size_t frame_bytes) {
  return (frame_bytes + part_max - 1) / part_max;
}

std::size_t write_vp8_payload(MutableBytes out, Bytes frame, std::size_t index,
                              std::uint16_t picture) {
  const auto count = vp8_payload_count(frame.size());
  const auto begin = frame.size() * index / count;
  const auto end = frame.size() * (index + 1) / count;
  // RFC 7741 4.2: extended; the first begins a partition.
  out[0] = static_cast<std::uint8_t>(0x80 | (index == 0 ? 0x10 : 0));
  out[1] = 0x80;  // a picture id follows
  out[2] = static_cast<std::uint8_t>(0x80 | (picture >> 8 & 0x7f));
  out[3] = static_cast<std::uint8_t>(picture);
  std::copy(frame.begin() + begin, frame.begin() + end, out.begin() + vp8_descriptor_bytes);
  return vp8_descriptor_bytes + end - begin;
}

}  // namespace stagedoor::media
