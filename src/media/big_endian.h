// Numbers in network order, to and from bytes. The caller has checked that they are there.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>

namespace stagedoor::media {

inline std::uint16_t read_u16(const std::uint8_t* at) {
  return static_cast<std::uint16_t>(at[0] << 8 | at[1]);
}
inline std::uint32_t read_u24(const std::uint8_t* at) {
  return static_cast<std::uint32_t>(at[0]) << 16 | static_cast<std::uint32_t>(at[1]) << 8 | at[2];
}
inline std::uint32_t read_u32(const std::uint8_t* at) {
  return static_cast<std::uint32_t>(at[0]) << 24 | read_u24(at + 1);
}

inline void write_u16(std::uint8_t* at, std::uint16_t value) {
  at[0] = static_cast<std::uint8_t>(value >> 8);
  at[1] = static_cast<std::uint8_t>(value);
}
inline void write_u32(std::uint8_t* at, std::uint32_t value) {
  write_u16(at, static_cast<std::uint16_t>(value >> 16));
  write_u16(at + 2, static_cast<std::uint16_t>(value));
}
inline void write_u64(std::uint8_t* at, std::uint64_t value) {
  write_u32(at, static_cast<std::uint32_t>(value >> 32));
  write_u32(at + 4, static_cast<std::uint32_t>(value));
}

}  // namespace stagedoor::media
