// The UDP socket of a loop: all WebRTC sessions of the loop share it.
//
// One socket for each loop, non-blocking, with buffers of 4 MiB; datagrams are read up to 32 at a
// time into buffers that are reused. Bound to any address it hears IPv4 and IPv6, and a reply
// leaves from the address that was asked (IP_PKTINFO, RFC 3542 6). When the socket is full, what is
// sent is lost, as on the way; SCTP and NACK send it again.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <boost/asio/ip/udp.hpp>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/clock.h"
#include "base/network.h"
#include "base/random.h"
#include "base/result.h"
#include "http/loop.h"
#include "media/media_clock.h"
#include "media/switchboard.h"

namespace stagedoor::media {

struct PortOptions {
  base::Address bind_address{};  // "::": every address, IPv4 too; "0.0.0.0": every IPv4 address
  // The first free one of these is taken; 0 and 0: the system chooses.
  std::uint16_t first_port = 0, last_port = 0;
  // Where clients are told to send, with the bound port: for a machine behind NAT its public
  // addresses. Empty: the bound address or, bound to any, those of this machine (those that lead
  // away from it; where there are none, loopback).
  std::vector<base::Address> public_addresses;
  std::size_t peers_max = 1000;
};

struct PortCounts {
  Counter datagrams_in, datagrams_out;
  Counter not_sent;  // the socket was full, or the network said no
  Counter too_long;  // longer than 2048 bytes: none of ours, dropped
  SwitchboardCounts switchboard;
};

// Used from its own loop only, which must outlive it, as must the parts; other threads post to the
// loop's mailbox. Every handle must be given up before the port ends.
class Port {
 public:
  struct Parts {
    http::Loop& loop;
    MediaClock& clock;
    Stack& stack;
    const DtlsIdentity& identity;
    base::Random& random;
    const base::Clock& wall_clock;
  };

  // `unavailable`: no port of the range is free, or no such address here. May be called before
  // the loop runs, from the thread that will run it or builds it.
  static base::Result<std::unique_ptr<Port>> open(Parts parts, const PortOptions& options);
  ~Port();
  Port(const Port&) = delete;
  Port& operator=(const Port&) = delete;

  base::Result<PeerHandle> open_peer(PeerListener& listener, PeerOptions options);

  std::uint16_t port() const;
  const std::vector<Endpoint>& candidates() const;
  // Safe from any thread.
  PortCounts counts() const;
  std::size_t peers() const;

 private:
  class Socket;
  explicit Port(std::unique_ptr<Socket> socket);
  std::unique_ptr<Socket> socket_;
};

}  // namespace stagedoor::media
