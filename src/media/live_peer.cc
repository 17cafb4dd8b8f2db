// SPDX-License-Identifier: Apache-2.0

#include "media/live_peer.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "media/big_endian.h"

namespace stagedoor::media {

namespace {

using base::ErrorCode;
using namespace std::chrono_literals;

constexpr std::size_t user_length = 8, password_length = 24;  // RFC 8445 5.3 asks 4 and 22

}  // namespace

std::string_view word_of(LostReason reason) {
  switch (reason) {
    case LostReason::handshake_failed:
      return "handshake_failed";
    case LostReason::hung_up:
      return "hung_up";
    case LostReason::silent:
      return "silent";
  }
  return {};
}

void RetirePeer::operator()(Peer* peer) const {
  static_cast<LivePeer*>(peer)->retire();
}

LivePeer::LivePeer(Switchboard& switchboard, PeerListener& listener, PeerOptions options)
    : switchboard_(switchboard),
      listener_(&listener),
      options_(std::move(options)),
      heard_at_(switchboard.now_),
      // RFC 3711 3.3.1: a first number in the lower half, so that an early loss cannot be mistaken
      // for a wrap.
      pictures_(random_u32() | 1, random_u32() & 0x7fff),
      sound_source_((random_u32() | 1) ^ 1),
      sound_number_(random_u32() & 0x7fff),
      picture_origin_(random_u32()),
      sound_origin_(random_u32()) {
  session_id_ = (static_cast<std::uint64_t>(random_u32()) << 31 | random_u32()) >> 1;
  const auto wall = switchboard_.parts_.clock.now().time_since_epoch();
  wall_offset_us_ =
      std::chrono::duration_cast<std::chrono::microseconds>(wall).count() -
      std::chrono::duration_cast<std::chrono::microseconds>(now().time_since_epoch()).count();
}

LivePeer::~LivePeer() = default;

std::uint32_t LivePeer::random_u32() {
  std::array<std::uint8_t, 4> bytes;
  switchboard_.parts_.random.fill(bytes);
  return read_u32(bytes.data());
}

std::string LivePeer::random_text(std::size_t length) {
  return base::random_base62(switchboard_.parts_.random, length);
}

base::Result<std::string> LivePeer::answer(std::string_view offer_sdp) {
  const Switchboard::Turn turn(switchboard_);
  if (is_closed_) return base::fail(ErrorCode::unavailable, "peer: it is closed");
  auto offer = read_offer(offer_sdp);
  if (!offer) return std::unexpected(offer.error());
  const bool is_first = !offer_;
  const bool is_restart = is_first || offer->ice_user != offer_->ice_user ||
                          offer->ice_password != offer_->ice_password;
  const bool is_other = !is_first && offer->certificate != offer_->certificate;
  if (is_restart || is_other) {
    if (const auto taken = take_new_name(); !taken) return std::unexpected(taken.error());
  }
  offer_ = std::move(*offer);
  if (is_first) {
    if (const auto begun = begin_transport(); !begun) {
      offer_.reset();
      return std::unexpected(begun.error());
    }
  }
  must_renew_ = must_renew_ || is_other;
  heard_at_ = now();
  if (is_restart || is_other) {
    is_late_ = false;
    handshake_from_ = now();
  }
  return write_answer(*offer_, {.ice_user = name_->user,
                                .ice_password = name_->password,
                                .certificate = switchboard_.parts_.identity.hash(),
                                .candidates = switchboard_.options_.candidates,
                                .stream_name = options_.stream_name,
                                .picture_source = pictures_.source(),
                                .sound_source = sound_source_,
                                .session_id = session_id_,
                                .session_version = ++session_version_});
}

base::Result<base::Done> LivePeer::take_new_name() {
  auto user = random_text(user_length);
  auto password = random_text(password_length);
  if (!switchboard_.announce(user, *this))
    return base::fail(ErrorCode::unavailable, "peer: the ICE user is taken");
  drop_name(name_before_);
  name_before_ = std::exchange(name_, std::nullopt);
  crypto::HmacSha1Key key{base::Secret(std::string_view(password))};
  name_.emplace(IceName{std::move(user), std::move(password), std::move(key)});
  is_nominated_ = false;
  return base::Done{};
}

void LivePeer::drop_name(std::optional<IceName>& name) {
  if (name) switchboard_.withdraw(name->user);
  name.reset();
}

bool LivePeer::on_check(const StunMessage& check, Bytes message, const Path& path) {
  renew_if_due();
  if (is_closed_ || is_late_ || check.kind != StunKind::request) return true;
  const bool is_current = name_ && check.local_user() == name_->user;
  const auto& name = is_current ? name_ : name_before_;
  if (!name) return false;
  std::array<std::uint8_t, stun_answer_max> buffer;
  const auto refuse = [&](StunError error) {
    reply(path, buffer, write_stun_error(buffer, check, error));
  };
  if (!has_integrity(check, message, name->key)) {
    refuse(check.integrity_at == 0 ? StunError::bad_request : StunError::unauthenticated);
    return false;
  }
  if (check.not_known_count > 0) {
    refuse(StunError::unknown_attribute);
    return true;
  }
  if (check.role == IceRole::controlled) {
    refuse(StunError::role_conflict);
    return true;
  }
  reply(path, buffer, write_stun_success(buffer, check, path.remote, name->key));
  heard_at_ = now();
  if (is_current && check.nominates) drop_name(name_before_);
  // The names of before a restart keep the way alive, and choose no other.
  remember(path, check.nominates && (is_current || !is_nominated_));
  return true;
}

void LivePeer::reply(const Path& path, MutableBytes buffer, std::size_t length) {
  switchboard_.parts_.outlet.send(buffer.first(length), path);
}

void LivePeer::remember(const Path& path, bool nominates) {
  // Where another peer has just proved to be, this one is not.
  if (!switchboard_.claim(path.remote, *this)) return;
  auto* const end = places_.data() + place_count_;
  auto* place = std::find_if(places_.data(), end,
                             [&](const Place& p) { return p.path.remote == path.remote; });
  if (place == end && place_count_ < places_max) {
    ++place_count_;
  } else if (place == end) {
    place = std::min_element(places_.data(), end, [&](const Place& a, const Place& b) {
      const bool a_used = path_ && a.path == *path_, b_used = path_ && b.path == *path_;
      return a_used != b_used ? b_used : a.heard_at < b.heard_at;
    });
    switchboard_.release(place->path.remote, *this);
  }
  *place = {.path = path, .heard_at = now()};
  if (nominates || !path_ || (path_->remote == path.remote)) path_ = path;
  is_nominated_ = is_nominated_ || nominates;
}

bool LivePeer::has_been_at(const Endpoint& endpoint, std::chrono::milliseconds within) const {
  return std::any_of(places_.begin(), places_.begin() + place_count_, [&](const Place& place) {
    return place.path.remote == endpoint && now() - place.heard_at < within;
  });
}

void LivePeer::on_endpoint_taken(const Endpoint& endpoint) {
  const auto end = places_.begin() + place_count_;
  const auto place =
      std::find_if(places_.begin(), end, [&](const Place& p) { return p.path.remote == endpoint; });
  if (place == end) return;
  std::move(place + 1, end, place);
  --place_count_;
  if (path_ && path_->remote == endpoint) path_.reset();
}

base::Result<base::Done> LivePeer::begin_transport() {
  auto dtls = DtlsSession::make(switchboard_.parts_.identity, offer_->certificate,
                                {.datagram = [this](Bytes datagram) { send_out(datagram); },
                                 .data =
                                     [this](Bytes data) {
                                       look_at(dtls_->state());
                                       if (channels_) channels_->on_packet(data);
                                     }});
  if (!dtls) return std::unexpected(dtls.error());
  dtls_ = std::move(*dtls);
  handshake_from_ = now();
  return base::Done{};
}

// Another client has taken the place: what the one before had ends here. Not within `answer`, which
// may have been called from within a call of the very objects that go.
void LivePeer::renew_if_due() {
  if (!must_renew_ || is_closed_) return;
  const auto gone = std::exchange(channels_, nullptr);
  srtp_.reset();
  pictures_.forget();
  reception_ = {};
  report_.round_trip.reset();
  anchor_at_.reset();
  while (place_count_ > 0) {
    switchboard_.release(places_[0].path.remote, *this);
    on_endpoint_taken(places_[0].path.remote);
  }
  path_.reset();
  must_renew_ = false;
  const auto begun = begin_transport();
  if (gone)
    for (const auto channel : gone->channels()) on_channel_closed(channel);
  if (!begun) lose(LostReason::handshake_failed);
}

void LivePeer::on_datagram(MutableBytes datagram) {
  renew_if_due();
  if (is_closed_ || is_late_) return;
  counts_.bytes_received += datagram.size();
  if (datagram[0] >= 20 && datagram[0] < 64) return on_dtls(datagram);
  if (!is_rtp_or_rtcp(datagram) || !srtp_) {
    ++counts_.dropped;
  } else if (is_rtcp(datagram)) {
    on_rtcp(datagram);
  } else {
    on_rtp(datagram);
  }
}

void LivePeer::on_dtls(Bytes datagram) {
  if (dtls_) look_at(dtls_->on_datagram(datagram));
}

void LivePeer::look_at(DtlsState state) {
  if (is_closed_) return;
  const bool was_open = srtp_ != nullptr;
  if (state == DtlsState::open && !was_open) on_open();
  if (state == DtlsState::closed) lose(LostReason::hung_up);
  if (state == DtlsState::failed)
    lose(was_open ? LostReason::hung_up : LostReason::handshake_failed);
}

void LivePeer::on_open() {
  const auto keys = dtls_->srtp_keys();
  if (!keys) return lose(LostReason::handshake_failed);
  auto srtp = Srtp::make(*keys);
  if (!srtp) return lose(LostReason::handshake_failed);
  srtp_ = std::move(*srtp);
  report_due_ = now();
  open_channels();
  tell([](PeerListener& listener) { listener.on_connected(); });
}

// At once, or once a later offer has them. What fails is tried again at the next tick.
void LivePeer::open_channels() {
  if (!offer_->has_channels || channels_) return;
  auto channels = DataChannels::open(
      switchboard_.parts_.stack, *this,
      {.port = offer_->sctp_port, .message_bytes_max = options_.message_bytes_max});
  if (!channels) return;
  channels_ = std::move(*channels);
  channels_->on_tick(now());
}

void LivePeer::send_out(Bytes datagram) {
  if (!path_ || is_late_) return;
  counts_.bytes_sent += datagram.size();
  switchboard_.parts_.outlet.send(datagram, *path_);
}

void LivePeer::lose(LostReason reason) {
  if (is_closed_) return;
  go_silent();
  if (auto* const listener = std::exchange(listener_, nullptr)) listener->on_lost(reason);
}

void LivePeer::close() {
  const Switchboard::Turn turn(switchboard_);
  listener_ = nullptr;
  if (!is_closed_) go_silent();
}

void LivePeer::go_silent() {
  if (dtls_) dtls_->close();
  is_closed_ = true;
  drop_name(name_);
  drop_name(name_before_);
  while (place_count_ > 0) {
    switchboard_.release(places_[0].path.remote, *this);
    on_endpoint_taken(places_[0].path.remote);
  }
  path_.reset();
}

std::chrono::milliseconds LivePeer::silence() const {
  return std::chrono::duration_cast<std::chrono::milliseconds>(now() - heard_at_);
}

void LivePeer::on_tick() {
  renew_if_due();
  if (is_closed_) return;
  if (now() - heard_at_ > (offer_ ? options_.silence_max : options_.offer_within))
    return lose(LostReason::silent);
  if (dtls_ && !is_late_) look_at(dtls_->on_tick());
  if (is_closed_ || !offer_) return;
  if (!srtp_) {
    if (!is_late_ && now() - handshake_from_ > options_.handshake_within) {
      is_late_ = true;
      tell([](PeerListener& listener) { listener.on_handshake_late(); });
    }
    return;
  }
  open_channels();
  if (channels_) channels_->on_tick(now());
  pictures_.begin_tick(now());
  flush_pictures();
  if (anchor_at_ && now() >= report_due_) send_reports();
  if (is_key_frame_wanted_) want_key_frame();
}

}  // namespace stagedoor::media
