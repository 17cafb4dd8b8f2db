// Where a datagram came from, and by which of our addresses.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <span>

#include "base/network.h"

namespace stagedoor::media {

// The time that runs evenly; what timers and silence are measured by.
using Moment = std::chrono::steady_clock::time_point;
// Bytes that are only read, and bytes that may be changed in place.
using Bytes = std::span<const std::uint8_t>;
using MutableBytes = std::span<std::uint8_t>;

struct Endpoint {
  base::Address address;
  std::uint16_t port = 0;
  auto operator<=>(const Endpoint&) const = default;
};

// The two ends of the way that a datagram took. A reply takes it back: many clients accept an
// answer only from the address that they asked.
struct Path {
  Endpoint remote;
  base::Address local;  // all zero: the system may choose
  bool operator==(const Path&) const = default;
};

struct EndpointHash {
  std::size_t operator()(const Endpoint& endpoint) const noexcept {
    std::uint64_t high, low;
    std::memcpy(&high, endpoint.address.bytes.data(), 8);
    std::memcpy(&low, endpoint.address.bytes.data() + 8, 8);
    return std::hash<std::uint64_t>{}(low * 0x9e3779b97f4a7c15U ^ high ^ endpoint.port);
  }
};

}  // namespace stagedoor::media
