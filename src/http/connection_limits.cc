// SPDX-License-Identifier: Apache-2.0

#include "http/connection_limits.h"

#include <algorithm>
#include <span>

namespace stagedoor::http {

namespace {

std::uint64_t number_of(std::span<const unsigned char> bytes) {
  std::uint64_t number = 0;
  for (const auto byte : bytes) number = number << 8 | byte;
  return number;
}

// An IPv4 address, or the /64 that one IPv6 peer commonly has to itself. No routed /64 has only
// zeros in its upper half, so the two do not meet.
std::uint64_t peer_of(const boost::asio::ip::address& address) {
  if (address.is_v4()) return number_of(address.to_v4().to_bytes());
  const auto bytes = address.to_v6().to_bytes();
  if (address.to_v6().is_v4_mapped()) return number_of(std::span(bytes).last(4));
  return number_of(std::span(bytes).first(8));
}

}  // namespace

std::optional<ConnectionLimits::Ticket> ConnectionLimits::admit(
    const boost::asio::ip::address& address) {
  if (connections_.fetch_add(1) >= connections_max_) {
    connections_.fetch_sub(1);
    return std::nullopt;
  }
  const auto peer = peer_of(address);
  if (counts_peers()) {
    const std::lock_guard lock(mutex_);
    auto& count = peers_[peer];
    if (count >= per_peer_max_) {
      if (count == 0) peers_.erase(peer);
      connections_.fetch_sub(1);
      return std::nullopt;
    }
    ++count;
  }
  return Ticket(*this, peer);
}

void ConnectionLimits::leave(std::uint64_t peer) {
  connections_.fetch_sub(1);
  if (!counts_peers()) return;
  const std::lock_guard lock(mutex_);
  const auto found = peers_.find(peer);
  if (--found->second == 0) peers_.erase(found);
}

}  // namespace stagedoor::http
