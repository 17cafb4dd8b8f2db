#include "base/text.h"

#include <algorithm>
#include <cstring>
#include <numeric>

namespace stagedoor::base {
namespace {

constexpr std::string_view base64url_digits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

constexpr std::array<std::int8_t, 256> base64url_values = [] {
  std::array<std::int8_t, 256> values{};
  values.fill(-1);
  for (std::size_t i = 0; i < base64url_digits.size(); ++i)
    values[static_cast<unsigned char>(base64url_digits[i])] = static_cast<std::int8_t>(i);
  return values;
}();

// Two digits for every 12 bits, so that three bytes cost two look-ups.
constexpr std::array<std::array<char, 2>, 4096> base64url_pairs = [] {
  std::array<std::array<char, 2>, 4096> pairs{};
  for (std::size_t i = 0; i < pairs.size(); ++i)
    pairs[i] = {base64url_digits[i >> 6], base64url_digits[i & 63]};
  return pairs;
}();

// crc32_tables[k][b]: what byte b does to the sum when k zero bytes follow it, so that eight bytes
// can be taken at once.
constexpr std::array<std::array<std::uint32_t, 256>, 8> crc32_tables = [] {
  std::array<std::array<std::uint32_t, 256>, 8> tables{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    auto sum = byte;
    for (int bit = 0; bit < 8; ++bit) sum = sum >> 1 ^ ((sum & 1) != 0 ? 0xedb88320u : 0u);
    tables[0][byte] = sum;
  }
  for (std::size_t k = 1; k < tables.size(); ++k)
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const auto sum = tables[k - 1][byte];
      tables[k][byte] = sum >> 8 ^ tables[0][sum & 0xff];
    }
  return tables;
}();

unsigned octet(std::string_view bytes, std::size_t at) {
  return static_cast<unsigned char>(bytes[at]);
}

}  // namespace

void append_base64url(std::string& out, std::string_view bytes) {
  const auto start = out.size();
  out.resize(start + (bytes.size() * 4 + 2) / 3);
  char* to = out.data() + start;
  std::size_t i = 0;
  for (; i + 3 <= bytes.size(); i += 3) {
    const unsigned group = octet(bytes, i) << 16 | octet(bytes, i + 1) << 8 | octet(bytes, i + 2);
    std::memcpy(to, base64url_pairs[group >> 12].data(), 2);
    std::memcpy(to + 2, base64url_pairs[group & 0xfff].data(), 2);
    to += 4;
  }
  if (i + 1 == bytes.size()) {
    const unsigned group = octet(bytes, i) << 16;
    *to++ = base64url_digits[group >> 18];
    *to++ = base64url_digits[group >> 12 & 63];
  } else if (i + 2 == bytes.size()) {
    const unsigned group = octet(bytes, i) << 16 | octet(bytes, i + 1) << 8;
    *to++ = base64url_digits[group >> 18];
    *to++ = base64url_digits[group >> 12 & 63];
    *to++ = base64url_digits[group >> 6 & 63];
  }
}

void append_base64(std::string& out, std::string_view bytes) {
  const auto start = out.size();
  append_base64url(out, bytes);
  std::replace(out.begin() + static_cast<std::ptrdiff_t>(start), out.end(), '-', '+');
  std::replace(out.begin() + static_cast<std::ptrdiff_t>(start), out.end(), '_', '/');
  out.append((4 - (out.size() - start) % 4) % 4, '=');
}

std::string base64url(std::string_view bytes) {
  std::string text;
  append_base64url(text, bytes);
  return text;
}

std::optional<std::string> from_base64url(std::string_view text) {
  if (text.size() % 4 == 1) return std::nullopt;
  std::string bytes;
  bytes.reserve(text.size() * 3 / 4);
  unsigned held = 0;
  unsigned held_bits = 0;
  for (const char c : text) {
    const auto value = base64url_values[static_cast<unsigned char>(c)];
    if (value < 0) return std::nullopt;
    held = held << 6 | static_cast<unsigned>(value);
    held_bits += 6;
    if (held_bits >= 8) {
      held_bits -= 8;
      bytes += static_cast<char>(held >> held_bits & 0xff);
    }
  }
  if ((held & ((1u << held_bits) - 1)) != 0) return std::nullopt;
  return bytes;
}

std::optional<std::string> from_base64(std::string_view text) {
  if (text.size() % 4 != 0 || text.find_first_of("-_") != text.npos) return std::nullopt;
  for (int padding = 0; padding < 2 && text.ends_with('='); ++padding) text.remove_suffix(1);
  std::string url(text);
  std::ranges::replace(url, '+', '-');
  std::ranges::replace(url, '/', '_');
  return from_base64url(url);
}

std::string hex(std::span<const std::uint8_t> bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const auto byte : bytes) {
    text += digits[byte >> 4];
    text += digits[byte & 15];
  }
  return text;
}

std::optional<std::vector<std::uint8_t>> from_hex(std::string_view text) {
  if (text.size() % 2 != 0) return std::nullopt;
  const auto value = [](char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return -1;
  };
  std::vector<std::uint8_t> bytes;
  bytes.reserve(text.size() / 2);
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = value(text[i]), low = value(text[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    bytes.push_back(static_cast<std::uint8_t>(high << 4 | low));
  }
  return bytes;
}

std::uint32_t crc32(std::string_view bytes) {
  const auto& tables = crc32_tables;
  std::uint32_t sum = 0xffffffffu;
  std::size_t i = 0;
  for (; i + 8 <= bytes.size(); i += 8) {
    std::uint32_t eight = 0;
    for (std::size_t k = 0; k < 4; ++k) {
      eight ^= tables[7 - k][octet(bytes, i + k) ^ (sum >> (8 * k) & 0xff)];
      eight ^= tables[3 - k][octet(bytes, i + 4 + k)];
    }
    sum = eight;
  }
  for (; i < bytes.size(); ++i) sum = sum >> 8 ^ tables[0][(sum ^ octet(bytes, i)) & 0xff];
  return ~sum;
}

std::size_t edit_distance(std::string_view from, std::string_view to) {
  std::vector<std::size_t> row(to.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < from.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < to.size(); ++j) {
      const std::size_t replaced = diagonal + (from[i] == to[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

}  // namespace stagedoor::base
