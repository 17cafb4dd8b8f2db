// The peer of media/peer.h: ICE-lite, DTLS, SRTP and SCTP put together. Made by a Switchboard.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "crypto/hmac_sha1.h"
#include "media/data_channel.h"
#include "media/dtls.h"
#include "media/peer.h"
#include "media/picture_sender.h"
#include "media/rtp.h"
#include "media/sdp.h"
#include "media/srtp.h"
#include "media/stun.h"
#include "media/switchboard.h"

namespace stagedoor::media {

class LivePeer final : public Peer, private DataChannelListener, private RtcpListener {
 public:
  LivePeer(Switchboard& switchboard, PeerListener& listener, PeerOptions options);
  ~LivePeer() override;

  base::Result<std::string> answer(std::string_view offer_sdp) override;
  base::Result<base::Done> send_picture(Bytes vp8_frame, SampleTime at) override;
  base::Result<base::Done> send_sound(Bytes opus_packet, SampleTime at) override;
  base::Result<base::Done> send_message(ChannelId channel, std::string_view text) override;
  void close() override;
  bool is_connected() const override { return srtp_ && !must_renew_ && !is_closed_; }
  std::chrono::milliseconds silence() const override;
  const PathReport& path() const override { return report_; }
  const PeerCounts& counts() const override { return counts_; }

  // From the switchboard. A check is a Binding request for one of our ICE users; false: not under
  // its password.
  bool on_check(const StunMessage& check, Bytes message, const Path& path);
  void on_datagram(MutableBytes datagram);
  void on_tick();
  void retire() { switchboard_.retire(*this); }
  // Whether a check came from there so lately.
  bool has_been_at(const Endpoint& endpoint, std::chrono::milliseconds within) const;
  // Another peer has proved to be there.
  void on_endpoint_taken(const Endpoint& endpoint);

 private:
  // A pair of ICE names that is answered to.
  struct IceName {
    std::string user, password;
    crypto::HmacSha1Key key;
  };
  struct Place {
    Path path;
    Moment heard_at{};
  };
  struct SentReport {
    std::uint32_t middle_of_ntp = 0;
    Moment at{};
  };
  static constexpr std::size_t places_max = 8;

  template <class Call>
  void tell(Call call) {
    if (listener_) call(*listener_);
  }

  // ICE
  base::Result<base::Done> take_new_name();
  void drop_name(std::optional<IceName>& name);
  void remember(const Path& path, bool nominates);
  void reply(const Path& path, MutableBytes buffer, std::size_t length);

  // Transport
  base::Result<base::Done> begin_transport();
  void renew_if_due();
  void on_dtls(Bytes datagram);
  void look_at(DtlsState state);
  void on_open();
  void open_channels();
  void send_out(Bytes datagram);
  void lose(LostReason reason);
  void go_silent();

  // Media
  void on_rtp(MutableBytes datagram);
  void on_rtcp(MutableBytes datagram);
  void flush_pictures();
  void anchor(SampleTime at);
  void send_reports();
  void send_report(std::uint32_t source, std::uint32_t timestamp, std::uint32_t packets,
                   std::uint32_t payload_bytes, const std::optional<ReportBlock>& heard);
  void want_key_frame();

  // RtcpListener
  void on_report(const ReportBlock& block) override;
  void on_sender_report(const SenderReport& report) override;
  void on_nack(std::uint32_t source, std::uint16_t sequence_number) override;
  void on_picture_lost(std::uint32_t source) override;
  void on_key_frame_asked(std::uint32_t source, std::uint8_t command) override;

  // DataChannelListener
  void on_channel_packet(Bytes packet) override;
  void on_channel_open(ChannelId channel, std::string_view label) override;
  void on_channel_message(ChannelId channel, MessageKind kind, std::string_view text) override;
  void on_channel_message_refused(ChannelId channel) override;
  void on_channel_closed(ChannelId channel) override;

  Moment now() const { return switchboard_.now_; }
  std::uint32_t random_u32();
  std::string random_text(std::size_t length);

  Switchboard& switchboard_;
  PeerListener* listener_;  // null once lost or closed
  PeerOptions options_;
  bool is_closed_ = false;
  PeerCounts counts_;

  std::optional<Offer> offer_;  // the one last answered
  std::uint64_t session_id_ = 0, session_version_ = 0;

  std::optional<IceName> name_, name_before_;
  std::array<Place, places_max> places_;
  std::size_t place_count_ = 0;
  std::optional<Path> path_;  // where we send
  bool is_nominated_ = false;
  Moment heard_at_;

  std::unique_ptr<DtlsSession> dtls_;
  bool must_renew_ = false;  // another certificate was offered: keys begin anew at the next call
  bool is_late_ = false;     // and deaf until ICE restarts
  Moment handshake_from_{};
  std::unique_ptr<Srtp> srtp_;
  std::unique_ptr<DataChannels> channels_;

  PictureSender pictures_;
  std::uint32_t sound_source_;
  std::uint16_t sound_number_;
  std::uint32_t sound_packets_ = 0, sound_bytes_ = 0;
  std::uint32_t picture_origin_, sound_origin_;  // RTP time of sample 0
  // Which sample belongs to which moment; both streams' reports are made from this one line.
  SampleTime anchor_sample_{};
  std::optional<Moment> anchor_at_;
  std::int64_t wall_offset_us_ = 0;  // Unix time less the even time
  Moment report_due_{};
  std::array<SentReport, 8> sent_reports_;
  std::size_t sent_report_ = 0;
  PathReport report_;
  Reception reception_;
  Moment key_frame_told_{};
  bool is_key_frame_wanted_ = false;
  int last_command_ = -1;
};

}  // namespace stagedoor::media
