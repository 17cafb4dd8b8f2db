// Any bytes as an address, a network and X-Forwarded-For: what is read is written back as the same,
// and only a trusted proxy is ever looked behind.
//
// SPDX-License-Identifier: Apache-2.0

#include <cstdint>
#include <cstdlib>

#include "base/network.h"

using namespace stagedoor::base;

namespace {

void must(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto address = parse_address(text)) {
    must(parse_address(text_of(*address)) == address);
    must(Network{.address = *address, .prefix_bits = 128}.contains(*address));
    is_private(*address);
  }
  if (const auto network = parse_network(text)) {
    must(parse_network(text_of(*network)) == network);
    must(network->contains(network->address));
  }
  static const std::vector<Network> proxies = {*parse_network("10.0.0.0/8"),
                                               *parse_network("fd00::/8")};
  const auto is_proxy = [](const Address& address) {
    return proxies[0].contains(address) || proxies[1].contains(address);
  };
  const auto stranger = *parse_address("203.0.113.9"), proxy = *parse_address("10.0.0.1");
  must(client_behind(stranger, text, proxies) == stranger);
  const auto client = client_behind(proxy, text, proxies);
  // What stands further to the left, in the client's own hand, changes nothing.
  if (!is_proxy(client))
    must(client_behind(proxy, "6.6.6.6, fd00::1, x, " + std::string(text), proxies) == client);
  return 0;
}
