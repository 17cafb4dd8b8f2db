// Finds the peer that a datagram is for: a STUN request by its ICE user, all else by the address
// that the peer has proved to be at. What is for nobody is dropped without an answer.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "media/dtls.h"
#include "media/endpoint.h"
#include "media/peer.h"
#include "media/sctp.h"

namespace stagedoor::media {

// What datagrams leave by.
class Outlet {
 public:
  virtual ~Outlet() = default;
  virtual void send(Bytes datagram, const Path& path) = 0;
};

struct SwitchboardCounts {
  std::uint64_t datagrams = 0;  // that came
  std::uint64_t unknown_users =
      0;  // STUN for an ICE user that nobody has, or under a wrong password
  std::uint64_t unknown_addresses = 0;  // other datagrams from where nobody is
  std::uint64_t garbage = 0;            // neither STUN, DTLS nor RTP
};

// Used from one loop, by one thread. All handles must be given up before it ends.
class Switchboard {
 public:
  struct Parts {
    Stack& stack;
    const DtlsIdentity& identity;
    base::Random& random;
    const base::Clock& clock;
    Outlet& outlet;
  };
  struct Options {
    std::vector<Endpoint> candidates;  // what answers tell clients to send to
    std::size_t peers_max = 1000;
  };

  Switchboard(Parts parts, Options options);
  ~Switchboard();
  Switchboard(const Switchboard&) = delete;
  Switchboard& operator=(const Switchboard&) = delete;

  // `unavailable`: there are `peers_max`. The listener must outlive the handle.
  base::Result<PeerHandle> open_peer(PeerListener& listener, PeerOptions options);

  // The bytes may be changed (they are decrypted in place).
  void on_datagram(MutableBytes datagram, const Path& path, Moment now);
  // To be called every 20 ms or so: timers of all peers.
  void on_tick(Moment now);

  std::size_t peers() const { return peers_.size(); }
  const SwitchboardCounts& counts() const { return counts_; }

 private:
  friend class LivePeer;
  friend struct RetirePeer;
  class Turn;

  // For peers.
  bool announce(const std::string& user, class LivePeer& peer);
  void withdraw(const std::string& user);
  bool claim(const Endpoint& endpoint, class LivePeer& peer);
  void release(const Endpoint& endpoint, class LivePeer& peer);
  void retire(class LivePeer& peer);

  void on_stun(Bytes datagram, const Path& path);

  Parts parts_;
  Options options_;
  SwitchboardCounts counts_;
  Moment now_{};
  int turns_ = 0;  // how deep we are in calls that peers may be retired from
  std::vector<std::unique_ptr<class LivePeer>> peers_;
  std::vector<std::unique_ptr<class LivePeer>> retired_;
  std::unordered_map<std::string, class LivePeer*> by_user_;
  std::unordered_map<Endpoint, class LivePeer*, EndpointHash> by_endpoint_;
};

}  // namespace stagedoor::media
