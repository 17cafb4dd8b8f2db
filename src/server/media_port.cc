#include "server/media_port.h"

#include <algorithm>

namespace stagedoor::server {
namespace {

using base::ErrorCode;

bool is_loopback(const base::Address& address) {
  static const auto v4 = *base::parse_network("127.0.0.0/8"), v6 = *base::parse_network("::1/128");
  return v4.contains(address) || v6.contains(address);
}

bool is_v6(const base::Address& address) {
  return !address.is_v4();
}

std::unexpected<base::Error> refuse(std::string setting, std::string why) {
  return base::fail(ErrorCode::malformed, setting, setting + ": " + why);
}

base::Result<base::Address> listen_address_of(const Config& config) {
  const auto listen = parse_address(config.listen);
  if (!listen) return base::fail(listen.error());
  const auto address = base::parse_address(listen->host);
  if (!address)
    return refuse("live.udp_address", "must be set, since server.listen, \"" + config.listen +
                                          "\", names no IPv4 or IPv6 address");
  return *address;
}

// The first address that hears what comes to those that clients are told.
base::Result<base::Address> bind_address_of(const Config& config,
                                            const std::vector<base::Address>& told) {
  const bool are_told_from_afar = !std::ranges::all_of(told, &is_loopback);
  if (const auto& named = config.live.udp_address; !named.empty()) {
    const auto address = base::parse_address(named);
    if (!address)
      return refuse("live.udp_address", '"' + named + "\" must be an IPv4 or IPv6 address");
    if (are_told_from_afar && is_loopback(*address))
      return refuse("live.udp_address",
                    '"' + named +
                        "\" hears nothing that is sent to "
                        "live.public_addresses; leave it out, or name \"0.0.0.0\" "
                        "or \"::\"");
    return *address;
  }
  auto address = listen_address_of(config);
  if (!address || !are_told_from_afar || !is_loopback(*address)) return address;
  const bool hears_v6 = is_v6(*address) || std::ranges::any_of(told, &is_v6);
  return *base::parse_address(hears_v6 ? "::" : "0.0.0.0");
}

}  // namespace

base::Result<media::PortOptions> media_port_of(const Config& config) {
  const auto& live = config.live;
  media::PortOptions options;
  options.first_port = live.udp_first_port;
  options.last_port = std::max(live.udp_first_port, live.udp_last_port);
  for (const auto& text : live.public_addresses) {
    const auto known = base::parse_address(text);
    if (!known) return refuse("live.public_addresses", '"' + text + "\" must be an address");
    options.public_addresses.push_back(*known);
  }
  const auto address = bind_address_of(config, options.public_addresses);
  if (!address) return base::fail(address.error());
  options.bind_address = *address;
  return options;
}

}  // namespace stagedoor::server
