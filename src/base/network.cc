#include "base/network.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace stagedoor::base {
namespace {

constexpr int v4_bits = 96;  // what comes before an IPv4 address in its mapped form

std::optional<Address> parse_v4(const std::string& text) {
  Address address;
  address.bytes[10] = address.bytes[11] = 0xff;
  // inet_pton takes no leading zeros, no octal and no short forms (POSIX).
  if (::inet_pton(AF_INET, text.c_str(), address.bytes.data() + 12) != 1) return std::nullopt;
  return address;
}

// The address with all bits after `prefix_bits` cleared.
Address masked(Address address, int prefix_bits) {
  for (int i = 0; i < 16; ++i) {
    const int kept = std::clamp(prefix_bits - 8 * i, 0, 8);
    address.bytes[static_cast<std::size_t>(i)] &= static_cast<std::uint8_t>(0xff << (8 - kept));
  }
  return address;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

}  // namespace

std::optional<Address> address_of_socket(const void* socket_address, std::size_t size) {
  sa_family_t family = AF_UNSPEC;
  if (size < sizeof(sockaddr)) return std::nullopt;
  std::memcpy(&family, static_cast<const char*>(socket_address) + offsetof(sockaddr, sa_family),
              sizeof family);
  Address address;
  if (family == AF_INET && size >= sizeof(sockaddr_in)) {
    sockaddr_in v4{};
    std::memcpy(&v4, socket_address, sizeof v4);
    address.bytes[10] = address.bytes[11] = 0xff;
    std::memcpy(address.bytes.data() + 12, &v4.sin_addr, 4);
    return address;
  }
  if (family != AF_INET6 || size < sizeof(sockaddr_in6)) return std::nullopt;
  sockaddr_in6 v6{};
  std::memcpy(&v6, socket_address, sizeof v6);
  std::memcpy(address.bytes.data(), &v6.sin6_addr, 16);
  return address;
}

bool Address::is_v4() const {
  static constexpr std::array<std::uint8_t, 12> mapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  return std::equal(mapped.begin(), mapped.end(), bytes.begin());
}

std::optional<Address> parse_address(std::string_view text) {
  // The longest IPv6 text has 45 characters; what is longer is no address.
  if (text.empty() || text.size() > 45) return std::nullopt;
  const std::string copy(text);
  if (copy.find('\0') != copy.npos) return std::nullopt;
  if (copy.find(':') == copy.npos) return parse_v4(copy);
  Address address;
  if (::inet_pton(AF_INET6, copy.c_str(), address.bytes.data()) != 1) return std::nullopt;
  return address;
}

std::string text_of(const Address& address) {
  char text[INET6_ADDRSTRLEN] = {};
  if (address.is_v4())
    ::inet_ntop(AF_INET, address.bytes.data() + 12, text, sizeof text);
  else
    ::inet_ntop(AF_INET6, address.bytes.data(), text, sizeof text);
  return text;
}

Address party_of(const Address& address) {
  return address.is_v4() ? address : masked(address, 64);
}

bool Network::contains(const Address& other) const {
  return masked(other, prefix_bits) == address;
}

std::optional<Network> parse_network(std::string_view text) {
  const auto slash = text.find('/');
  const auto address = parse_address(text.substr(0, slash));
  if (!address) return std::nullopt;
  const int most = address->is_v4() ? 32 : 128;
  int bits = most;
  if (slash != text.npos) {
    const auto digits = text.substr(slash + 1);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
    if (digits.empty() || error != std::errc() || end != digits.data() + digits.size() ||
        bits < 0 || bits > most)
      return std::nullopt;
  }
  const Network network{.address = *address, .prefix_bits = bits + (most == 32 ? v4_bits : 0)};
  if (masked(*address, network.prefix_bits) != *address) return std::nullopt;
  return network;
}

std::string text_of(const Network& network) {
  const bool is_v4 = network.address.is_v4() && network.prefix_bits >= v4_bits;
  return text_of(network.address) + "/" +
         std::to_string(network.prefix_bits - (is_v4 ? v4_bits : 0));
}

bool is_private(const Address& address) {
  static const std::vector<Network> ranges = [] {
    std::vector<Network> list;
    for (const auto* text :
         {"0.0.0.0/8",       "10.0.0.0/8",     "100.64.0.0/10", "127.0.0.0/8",    "169.254.0.0/16",
          "172.16.0.0/12",   "192.0.0.0/24",   "192.0.2.0/24",  "192.168.0.0/16", "198.18.0.0/15",
          "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3",   "::/128",         "::1/128",
          "64:ff9b::/96",    "100::/64",       "2001:db8::/32", "fc00::/7",       "fe80::/10",
          "ff00::/8"})
      list.push_back(*parse_network(text));
    return list;
  }();
  return std::ranges::any_of(ranges, [&](const Network& range) { return range.contains(address); });
}

Address client_behind(const Address& peer, std::string_view forwarded_for,
                      const std::vector<Network>& trusted_proxies) {
  const auto is_trusted = [&](const Address& address) {
    return std::ranges::any_of(trusted_proxies,
                               [&](const Network& network) { return network.contains(address); });
  };
  Address client = peer;
  while (is_trusted(client) && !forwarded_for.empty()) {
    const auto comma = forwarded_for.rfind(',');
    const auto last =
        trimmed(comma == forwarded_for.npos ? forwarded_for : forwarded_for.substr(comma + 1));
    const auto said = parse_address(last);
    if (!said) return client;
    client = *said;
    forwarded_for =
        comma == forwarded_for.npos ? std::string_view() : forwarded_for.substr(0, comma);
  }
  return client;
}

}  // namespace stagedoor::base
