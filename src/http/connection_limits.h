// How many connections are open, over all loops and per peer. Thread-safe. The table of peers holds
// no more entries than there are connections.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <atomic>
#include <boost/asio/ip/address.hpp>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <utility>

namespace stagedoor::http {

class ConnectionLimits {
 public:
  ConnectionLimits(std::size_t connections_max, std::size_t per_peer_max)
      : connections_max_(connections_max), per_peer_max_(per_peer_max) {}

  // The right to one open connection; gone with its destructor.
  class Ticket {
   public:
    Ticket(Ticket&& other) noexcept
        : limits_(std::exchange(other.limits_, nullptr)), peer_(other.peer_) {}
    Ticket& operator=(Ticket&&) = delete;
    Ticket(const Ticket&) = delete;
    Ticket& operator=(const Ticket&) = delete;
    ~Ticket() {
      if (limits_) limits_->leave(peer_);
    }

   private:
    friend class ConnectionLimits;
    Ticket(ConnectionLimits& limits, std::uint64_t peer) : limits_(&limits), peer_(peer) {}
    ConnectionLimits* limits_;
    std::uint64_t peer_;
  };

  // nullopt: one limit is reached.
  std::optional<Ticket> admit(const boost::asio::ip::address& peer);

 private:
  void leave(std::uint64_t peer);
  bool counts_peers() const { return per_peer_max_ < connections_max_; }

  const std::size_t connections_max_, per_peer_max_;
  std::atomic<std::size_t> connections_ = 0;
  std::mutex mutex_;
  std::unordered_map<std::uint64_t, std::size_t> peers_;  // under mutex_
};

}  // namespace stagedoor::http
