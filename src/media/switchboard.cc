// SPDX-License-Identifier: Apache-2.0

#include "media/switchboard.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "media/live_peer.h"
#include "media/rtp.h"
#include "media/stun.h"

namespace stagedoor::media {

// For so long nobody else gets an address from which a peer has proved to be there.
constexpr std::chrono::seconds address_held{3};

Switchboard::Turn::Turn(Switchboard& switchboard) : switchboard_(switchboard) {
  ++switchboard_.turns_;
}

Switchboard::Turn::~Turn() {
  if (--switchboard_.turns_ > 0) return;
  while (!switchboard_.retired_.empty()) switchboard_.retired_.pop_back();
}

Switchboard::Switchboard(Parts parts, Options options)
    : parts_(parts), options_(std::move(options)), now_(std::chrono::steady_clock::now()) {}

Switchboard::~Switchboard() {
  assert(peers_.empty() && "a handle outlives its switchboard");
}

base::Result<PeerHandle> Switchboard::open_peer(PeerListener& listener, PeerOptions options) {
  if (peers_.size() >= options_.peers_max)
    return base::fail(base::ErrorCode::unavailable, "media: too many peers");
  peers_.push_back(std::make_unique<LivePeer>(*this, listener, std::move(options)));
  return PeerHandle(peers_.back().get());
}

void Switchboard::on_datagram(MutableBytes datagram, const Path& path, Moment now) {
  const Turn turn(*this);
  now_ = std::max(now_, now);
  ++counts_.datagrams;
  if (datagram.empty()) {
    ++counts_.garbage;
    return;
  }
  if (is_stun(datagram)) return on_stun(datagram, path);
  const bool is_dtls = datagram[0] >= 20 && datagram[0] < 64;
  if (!is_dtls && !is_rtp_or_rtcp(datagram)) {
    ++counts_.garbage;
    return;
  }
  const auto at = by_endpoint_.find(path.remote);
  if (at == by_endpoint_.end()) {
    ++counts_.unknown_addresses;
    return;
  }
  at->second->on_datagram(datagram);
}

void Switchboard::on_stun(Bytes datagram, const Path& path) {
  const auto check = read_stun(datagram);
  if (!check) {
    ++counts_.garbage;
    return;
  }
  const auto at = by_user_.find(check->local_user());
  if (at == by_user_.end() || !at->second->on_check(*check, datagram, path))
    ++counts_.unknown_users;
}

void Switchboard::on_tick(Moment now) {
  const Turn turn(*this);
  now_ = std::max(now_, now);
  parts_.stack.run_timers(now);
  // A peer that is retired meanwhile gives its place to the last one, which may miss this tick.
  for (std::size_t i = 0; i < peers_.size(); ++i) peers_[i]->on_tick();
}

bool Switchboard::announce(const std::string& user, LivePeer& peer) {
  return by_user_.try_emplace(user, &peer).second;
}

void Switchboard::withdraw(const std::string& user) {
  by_user_.erase(user);
}

bool Switchboard::claim(const Endpoint& endpoint, LivePeer& peer) {
  auto& holder = by_endpoint_[endpoint];
  if (holder == &peer) return true;
  if (holder) {
    // A client checks the address that it uses every few seconds.
    if (holder->has_been_at(endpoint, address_held)) return false;
    holder->on_endpoint_taken(endpoint);
  }
  holder = &peer;
  return true;
}

void Switchboard::release(const Endpoint& endpoint, LivePeer& peer) {
  const auto at = by_endpoint_.find(endpoint);
  if (at != by_endpoint_.end() && at->second == &peer) by_endpoint_.erase(at);
}

void Switchboard::retire(LivePeer& peer) {
  const Turn turn(*this);
  peer.close();
  const auto at = std::ranges::find(peers_, &peer, [](const auto& held) { return held.get(); });
  assert(at != peers_.end());
  retired_.push_back(std::move(*at));
  *at = std::move(peers_.back());
  peers_.pop_back();
}

}  // namespace stagedoor::media
