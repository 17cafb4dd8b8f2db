// Network addresses and networks: IPv4 and IPv6 in one 16-byte form.
//
// Rule client-address-by-trusted-proxies: whoever connects is the client, unless it is a proxy that
// the settings trust: then the last address of X-Forwarded-For that is no such proxy. What a client
// writes there itself stands further to the left and is never read, so that nobody gets another
// limit, or past a key's networks, by a header.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stagedoor::base {

// IPv4 as its IPv4-mapped IPv6 address (RFC 4291 2.5.5.2), so that one address has one form.
struct Address {
  std::array<std::uint8_t, 16> bytes{};
  bool is_v4() const;
  auto operator<=>(const Address&) const = default;
};

// Dotted IPv4, or IPv6 by RFC 4291 2.2 without a zone or brackets; nullopt: neither. Octets with a
// leading zero are refused: readers differ on what they mean.
std::optional<Address> parse_address(std::string_view text);
std::string text_of(const Address& address);

// The address in a sockaddr_in or sockaddr_in6 of `size` bytes; nullopt: of another family.
std::optional<Address> address_of_socket(const void* socket_address, std::size_t size);

// What one party may hold: the address itself for IPv4, its /64 for IPv6 (a host gets at least
// that much, so a limit per address would be none).
Address party_of(const Address& address);

// A range in CIDR form (RFC 4632, RFC 4291 2.3); a bare address is a range of one.
struct Network {
  Address address;
  int prefix_bits = 128;  // of 128; an IPv4 /24 is 120 here
  bool contains(const Address& other) const;
  bool operator==(const Network&) const = default;
};

// nullopt: not a network, or with bits set beyond its prefix (it would not mean what it says).
std::optional<Network> parse_network(std::string_view text);
std::string text_of(const Network& network);

// Loopback, private, link-local, unique-local, multicast, unspecified and documentation ranges:
// where a request made for a stranger must not go.
bool is_private(const Address& address);

// The client that an address chain speaks of: `peer` itself unless it is a trusted proxy; else the
// last address of `forwarded_for` (X-Forwarded-For, oldest first) that is no trusted proxy. What
// cannot be parsed ends the search at the proxy that said it.
Address client_behind(const Address& peer, std::string_view forwarded_for,
                      const std::vector<Network>& trusted_proxies);

}  // namespace stagedoor::base
