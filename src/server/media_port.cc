#include "server/media_port.h"

#include <algorithm>
#include <string>

#include "live/face_loops.h"

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

// Each loop takes one: without a last port as many as there are loops.
base::Result<base::Done> choose_ports(const LiveSettings& live, media::PortOptions& options) {
  const int first = live.udp_first_port, loops = live::FaceLoops::loops_of(live.threads);
  const int last_of_all = first + loops - 1;
  if (first == 0) {
    if (live.udp_last_port == 0) return base::Done{};
    return refuse("live.udp_last_port", "is no range without live.udp_first_port");
  }
  const int last = live.udp_last_port == 0 ? last_of_all : live.udp_last_port;
  if (last < last_of_all || last > 65535)
    return refuse("live.udp_last_port",
                  "the " + std::to_string(loops) +
                      " loops of live.threads take a port each, so it must be "
                      "from " +
                      std::to_string(last_of_all) + " to 65535");
  options.first_port = static_cast<std::uint16_t>(first);
  options.last_port = static_cast<std::uint16_t>(last);
  return base::Done{};
}

}  // namespace

base::Result<media::PortOptions> media_port_of(const Config& config) {
  const auto& live = config.live;
  media::PortOptions options;
  if (auto chosen = choose_ports(live, options); !chosen) return base::fail(chosen.error());
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
