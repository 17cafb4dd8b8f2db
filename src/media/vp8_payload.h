// A VP8 frame cut into RTP payloads (RFC 7741): with a picture id of 15 bits, by which a receiver
// tells a lost picture from one that never was. Pure.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>

#include "media/endpoint.h"

namespace stagedoor::media {

inline constexpr std::size_t vp8_descriptor_bytes = 4;
// With RTP, SRTP, UDP and IPv6 around it, it passes every path that carries DTLS records of 1200.
inline constexpr std::size_t vp8_payload_max = 1140;

// How many payloads a frame takes; 0 for an empty one.
std::size_t vp8_payload_count(std::size_t frame_bytes);

// Writes the payload of that index, and says how long it is: at most `vp8_payload_max`. A frame's
// payloads are of like length. Only the low 15 bits of `picture` count.
std::size_t write_vp8_payload(MutableBytes out, Bytes frame, std::size_t index,
                              std::uint16_t picture);

// Whether a decoder can begin at this frame (RFC 6386 9.1).
inline bool is_key_frame(Bytes frame) {
  return !frame.empty() && (frame[0] & 1) == 0;
}

}  // namespace stagedoor::media
