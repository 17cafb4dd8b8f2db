// Bytes as text and back: base64url, base64, base62, hex, CRC-32.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace stagedoor::base {

inline constexpr std::string_view base62_digits =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

inline bool is_base62(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

// RFC 4648 5, without padding. Appends.
void append_base64url(std::string& out, std::string_view bytes);
std::string base64url(std::string_view bytes);

// Strict: nullopt for padding, a foreign character, an impossible length, or unused bits that are
// not zero; so every byte string has exactly one spelling.
std::optional<std::string> from_base64url(std::string_view text);

// RFC 4648 4, with padding. Appends.
void append_base64(std::string& out, std::string_view bytes);

// RFC 4648 4. As strict as from_base64url; padding is needed.
std::optional<std::string> from_base64(std::string_view text);

std::string hex(std::span<const std::uint8_t> bytes);
std::optional<std::vector<std::uint8_t>> from_hex(std::string_view text);

// CRC-32 (IEEE 802.3, as in zlib).
std::uint32_t crc32(std::string_view bytes);

// How many single-character changes lead from one word to the other; for "did you mean".
std::size_t edit_distance(std::string_view from, std::string_view to);

inline bool has_no_control(std::string_view text) {
  return std::ranges::none_of(
      text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

inline std::span<const std::uint8_t> as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
inline std::string_view as_text(std::span<const std::uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace stagedoor::base
