// Finds the peer that a datagram is for: a STUN request by its ICE user, all else by the address
// that the peer has proved to be at. What is for nobody is dropped without an answer.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "media/counter.h"
#include "media/dtls.h"
#include "media/endpoint.h"
#include "media/peer.h"
#include "media/sctp.h"

namespace stagedoor::media {

class LivePeer;

// What datagrams leave by.
class Outlet {
 public:
  virtual ~Outlet() = default;
  virtual void send(Bytes datagram, const Path& path) = 0;
};

struct SwitchboardCounts {
  Counter datagrams;          // that came
  Counter unknown_users;      // STUN for an ICE user that nobody has, or under a wrong password
  Counter unknown_addresses;  // other datagrams from where nobody is
  Counter garbage;            // neither STUN, DTLS nor RTP
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
  std::size_t users() const { return by_user_.size(); }          // ICE users that are answered
  std::size_t addresses() const { return by_endpoint_.size(); }  // that peers are at
  const SwitchboardCounts& counts() const { return counts_; }

 private:
  friend class LivePeer;
  friend struct RetirePeer;
  // While one lasts, peers that are given up live on: some call of theirs is under way.
  class Turn {
   public:
    explicit Turn(Switchboard& switchboard);
    ~Turn();
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;

   private:
    Switchboard& switchboard_;
  };
  // Looked up by views, so that a datagram costs no string.
  struct UserHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view user) const noexcept {
      return std::hash<std::string_view>{}(user);
    }
  };

  // For peers.
  bool announce(const std::string& user, LivePeer& peer);
  void withdraw(const std::string& user);
  bool claim(const Endpoint& endpoint, LivePeer& peer);
  void release(const Endpoint& endpoint, LivePeer& peer);
  void retire(LivePeer& peer);

  void on_stun(Bytes datagram, const Path& path);

  Parts parts_;
  Options options_;
  SwitchboardCounts counts_;
  Moment now_{};
  int turns_ = 0;  // how deep we are in calls that peers may be retired from
  std::vector<std::unique_ptr<LivePeer>> peers_;
  std::vector<std::unique_ptr<LivePeer>> retired_;
  std::unordered_map<std::string, LivePeer*, UserHash, std::equal_to<>> by_user_;
  std::unordered_map<Endpoint, LivePeer*, EndpointHash> by_endpoint_;
};

}  // namespace stagedoor::media
