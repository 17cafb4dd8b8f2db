// SPDX-License-Identifier: Apache-2.0

#include "media/stun.h"

#include <algorithm>

#include "base/text.h"
#include "crypto/hash.h"
#include "media/big_endian.h"

namespace stagedoor::media {

namespace {

constexpr std::uint32_t magic_cookie = 0x2112a442;
constexpr std::size_t header_bytes = 20;
constexpr std::size_t integrity_bytes = 4 + 20;
constexpr std::size_t fingerprint_bytes = 4 + 4;
constexpr std::uint32_t fingerprint_mask = 0x5354554e;

enum Attribute : std::uint16_t {
  mapped_address = 0x0001,
  username = 0x0006,
  message_integrity = 0x0008,
  error_code = 0x0009,
  unknown_attributes = 0x000a,
  xor_mapped_address = 0x0020,
  priority = 0x0024,
  use_candidate = 0x0025,
  fingerprint = 0x8028,
  ice_controlled = 0x8029,
  ice_controlling = 0x802a,
};

std::optional<StunKind> kind_of(std::uint16_t type) {
  switch (type) {
    case 0x0001:
      return StunKind::request;
    case 0x0011:
      return StunKind::indication;
    case 0x0101:
      return StunKind::success;
    case 0x0111:
      return StunKind::error;
    default:
      return std::nullopt;
  }
}

std::uint32_t fingerprint_of(Bytes message) {
  return base::crc32(base::as_text(message)) ^ fingerprint_mask;
}

// RFC 8489 14.2: the address under the cookie and, for IPv6, the transaction too.
std::array<std::uint8_t, 16> mask_of(const std::array<std::uint8_t, 12>& transaction) {
  std::array<std::uint8_t, 16> mask;
  write_u32(mask.data(), magic_cookie);
  std::copy(transaction.begin(), transaction.end(), mask.begin() + 4);
  return mask;
}

std::optional<Endpoint> read_mapped(Bytes value, const StunMessage& message) {
  if (value.size() != 8 && value.size() != 20) return std::nullopt;
  const bool is_v4 = value.size() == 8;
  if (value[1] != (is_v4 ? 1 : 2)) return std::nullopt;
  const auto mask = mask_of(message.transaction);
  Endpoint endpoint;
  endpoint.port = read_u16(&value[2]) ^ (magic_cookie >> 16);
  if (is_v4) endpoint.address.bytes[10] = endpoint.address.bytes[11] = 0xff;
  const std::size_t first = is_v4 ? 12 : 0;
  for (std::size_t i = 0; i < value.size() - 4; ++i)
    endpoint.address.bytes[first + i] = value[4 + i] ^ mask[i];
  return endpoint;
}

// False: the attribute breaks its form.
bool take(StunMessage& message, std::uint16_t type, Bytes value) {
  switch (type) {
    case username:
      message.username = base::as_text(value);
      return value.size() <= 513;  // RFC 8489 14.3
    case use_candidate:
      message.nominates = true;
      return value.empty();
    case ice_controlled:
      message.role = IceRole::controlled;
      return value.size() == 8;
    case ice_controlling:
      message.role = IceRole::controlling;
      return value.size() == 8;
    case xor_mapped_address:
      message.mapped = read_mapped(value, message);
      return message.mapped.has_value();
    case mapped_address:
    case error_code:
    case unknown_attributes:
    case priority:
      return true;
    default:
      // RFC 8489 6.3.1: from 0x8000 on it may be passed over.
      if (type < 0x8000 && message.not_known_count < message.not_known.size())
        message.not_known[message.not_known_count++] = type;
      return true;
  }
}

// The attributes before MESSAGE-INTEGRITY count; what follows it but FINGERPRINT does not
// (RFC 8489 14.5).
bool read_attributes(StunMessage& message, Bytes bytes) {
  const auto end = bytes.size() - fingerprint_bytes;
  std::size_t at = header_bytes;
  while (at < end) {
    if (end - at < 4) return false;
    const auto type = read_u16(&bytes[at]);
    const std::size_t length = read_u16(&bytes[at + 2]);
    const auto padded = (length + 3) & ~std::size_t{3};
    if (padded > end - at - 4) return false;
    if (message.integrity_at == 0) {
      if (type == message_integrity) {
        if (length != 20) return false;
        message.integrity_at = at;
      } else if (!take(message, type, bytes.subspan(at + 4, length))) {
        return false;
      }
    }
    at += 4 + padded;
  }
  return true;
}

class Writer {
 public:
  Writer(MutableBytes out, const StunMessage& request, std::uint16_t type) : out_(out) {
    write_u16(&out_[0], type);
    write_u16(&out_[2], 0);
    write_u32(&out_[4], magic_cookie);
    std::copy(request.transaction.begin(), request.transaction.end(), out_.begin() + 8);
  }

  MutableBytes attribute(std::uint16_t type, std::size_t length) {
    write_u16(&out_[size_], type);
    write_u16(&out_[size_ + 2], static_cast<std::uint16_t>(length));
    const auto value = out_.subspan(size_ + 4, (length + 3) & ~std::size_t{3});
    std::fill(value.begin(), value.end(), std::uint8_t{0});
    size_ += 4 + value.size();
    return value;
  }

  void protect(const crypto::HmacSha1Key& password) {
    // The length counts the attribute itself, which the MAC does not cover (RFC 8489 14.5).
    set_length(size_ + integrity_bytes);
    const auto mac = password.mac(base::as_text(out_.first(size_)));
    std::copy(mac.begin(), mac.end(), attribute(message_integrity, mac.size()).begin());
  }

  std::size_t finish() {
    set_length(size_ + fingerprint_bytes);
    const auto crc = fingerprint_of(out_.first(size_));
    write_u32(attribute(fingerprint, 4).data(), crc);
    return size_;
  }

 private:
  void set_length(std::size_t size) {
    write_u16(&out_[2], static_cast<std::uint16_t>(size - header_bytes));
  }

  MutableBytes out_;
  std::size_t size_ = header_bytes;
};

std::string_view phrase_of(StunError error) {
  switch (error) {
    case StunError::bad_request:
      return "Bad Request";
    case StunError::unauthenticated:
      return "Unauthenticated";
    case StunError::unknown_attribute:
      return "Unknown Attribute";
    case StunError::role_conflict:
      return "Role Conflict";
  }
  return {};
}

}  // namespace

std::optional<StunMessage> read_stun(Bytes bytes) {
  if (bytes.size() < header_bytes + fingerprint_bytes || bytes.size() > stun_message_max)
    return std::nullopt;
  if (read_u16(&bytes[2]) != bytes.size() - header_bytes || bytes.size() % 4 != 0)
    return std::nullopt;
  if (read_u32(&bytes[4]) != magic_cookie) return std::nullopt;
  const auto kind = kind_of(read_u16(&bytes[0]));
  if (!kind) return std::nullopt;

  const auto last = bytes.last(fingerprint_bytes);
  if (read_u16(&last[0]) != fingerprint || read_u16(&last[2]) != 4) return std::nullopt;
  if (read_u32(&last[4]) != fingerprint_of(bytes.first(bytes.size() - fingerprint_bytes)))
    return std::nullopt;

  StunMessage message;
  message.kind = *kind;
  std::copy_n(bytes.begin() + 8, message.transaction.size(), message.transaction.begin());
  if (!read_attributes(message, bytes)) return std::nullopt;
  return message;
}

bool has_integrity(const StunMessage& read, Bytes bytes, const crypto::HmacSha1Key& password) {
  if (read.integrity_at == 0) return false;
  std::array<std::uint8_t, header_bytes> head;
  std::copy_n(bytes.begin(), head.size(), head.begin());
  write_u16(&head[2],
            static_cast<std::uint16_t>(read.integrity_at + integrity_bytes - header_bytes));
  const auto body = bytes.subspan(header_bytes, read.integrity_at - header_bytes);
  const auto mac = password.mac(base::as_text(head), base::as_text(body));
  return crypto::equal(base::as_text(mac),
                       base::as_text(bytes.subspan(read.integrity_at + 4, mac.size())));
}

std::size_t write_stun_success(MutableBytes out, const StunMessage& request, const Endpoint& from,
                               const crypto::HmacSha1Key& password) {
  Writer writer(out, request, 0x0101);
  const bool is_v4 = from.address.is_v4();
  const auto value = writer.attribute(xor_mapped_address, is_v4 ? 8 : 20);
  const auto mask = mask_of(request.transaction);
  value[1] = is_v4 ? 1 : 2;
  write_u16(&value[2], from.port ^ (magic_cookie >> 16));
  const std::size_t first = is_v4 ? 12 : 0;
  for (std::size_t i = 0; first + i < 16; ++i)
    value[4 + i] = from.address.bytes[first + i] ^ mask[i];
  writer.protect(password);
  return writer.finish();
}

std::size_t write_stun_error(MutableBytes out, const StunMessage& request, StunError error) {
  Writer writer(out, request, 0x0111);
  const auto phrase = phrase_of(error);
  const auto code = static_cast<std::uint16_t>(error);
  const auto value = writer.attribute(error_code, 4 + phrase.size());
  value[2] = static_cast<std::uint8_t>(code / 100);
  value[3] = static_cast<std::uint8_t>(code % 100);
  std::copy(phrase.begin(), phrase.end(), value.begin() + 4);
  if (error == StunError::unknown_attribute) {
    const auto types = writer.attribute(unknown_attributes, 2 * request.not_known_count);
    for (std::size_t i = 0; i < request.not_known_count; ++i)
      write_u16(&types[2 * i], request.not_known[i]);
  }
  return writer.finish();
}

}  // namespace stagedoor::media
