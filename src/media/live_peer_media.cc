// What a peer does once it is connected: pictures, sound, reports, messages.
//
// SPDX-License-Identifier: Apache-2.0

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "media/live_peer.h"

namespace stagedoor::media {

namespace {

using base::ErrorCode;
using namespace std::chrono_literals;

constexpr std::size_t opus_bytes_max = 1140;
constexpr auto report_every = 1s;
constexpr auto key_frames_apart = 300ms;
// Further from the line than this, the performance has been moved, and the line with it.
constexpr SampleTime drift_max{4800};
constexpr std::uint64_t unix_epoch_in_ntp = 2'208'988'800;

std::unexpected<base::Error> not_connected() {
  return base::fail(ErrorCode::unavailable, "peer: not connected");
}

SampleTime samples_of(Moment::duration time) {
  return std::chrono::duration_cast<SampleTime>(time);
}

}  // namespace

base::Result<base::Done> LivePeer::send_picture(Bytes vp8_frame, SampleTime at) {
  if (!is_connected()) return not_connected();
  // 90 kHz from 48 kHz.
  const auto timestamp = picture_origin_ + static_cast<std::uint32_t>(at.count() * 15 / 8);
  if (!pictures_.add(*srtp_, offer_->vp8, vp8_frame, timestamp))
    return base::fail(ErrorCode::unavailable, "peer: the picture is too long, or too many wait");
  ++counts_.pictures_sent;
  anchor(at);
  flush_pictures();
  return base::Done{};
}

void LivePeer::flush_pictures() {
  for (auto packet = pictures_.next(); !packet.empty(); packet = pictures_.next()) {
    ++counts_.picture_packets_sent;
    send_out(packet);
  }
}

base::Result<base::Done> LivePeer::send_sound(Bytes opus_packet, SampleTime at) {
  if (!is_connected() || !offer_->has_sound) return not_connected();
  if (opus_packet.empty() || opus_packet.size() > opus_bytes_max)
    return base::fail(ErrorCode::unavailable, "peer: not the length of an Opus packet");
  alignas(8) std::array<std::uint8_t, rtp_header_bytes + opus_bytes_max + Srtp::trailer_max> buffer;
  RtpHeader header;
  header.payload_type = offer_->opus;
  header.sequence_number = sound_number_;
  header.timestamp = sound_origin_ + static_cast<std::uint32_t>(at.count());
  header.source = sound_source_;
  write_rtp_header(buffer, header);
  std::copy(opus_packet.begin(), opus_packet.end(), buffer.begin() + rtp_header_bytes);
  const auto length = srtp_->protect(buffer, rtp_header_bytes + opus_packet.size());
  if (!length) return base::fail(ErrorCode::unavailable, "peer: the SRTP key is used up");
  ++sound_number_;
  ++sound_packets_;
  sound_bytes_ += static_cast<std::uint32_t>(opus_packet.size());
  ++counts_.sound_packets_sent;
  anchor(at);
  send_out(MutableBytes(buffer).first(*length));
  return base::Done{};
}

base::Result<base::Done> LivePeer::send_message(ChannelId channel, std::string_view text) {
  const Switchboard::Turn turn(switchboard_);
  if (!is_connected() || !channels_) return not_connected();
  if (text.size() > offer_->message_bytes_max)
    return base::fail(ErrorCode::malformed, "peer: the message is longer than the client takes");
  return channels_->send(channel, MessageKind::text, text);
}

void LivePeer::anchor(SampleTime at) {
  if (anchor_at_) {
    const auto drift = anchor_sample_ + samples_of(now() - *anchor_at_) - at;
    if (drift < drift_max && drift > -drift_max) return;
  }
  anchor_sample_ = at;
  anchor_at_ = now();
}

void LivePeer::send_reports() {
  report_due_ = std::max(report_due_ + report_every, now());
  const auto sample = (anchor_sample_ + samples_of(now() - *anchor_at_)).count();
  const auto heard = reception_.report(now());
  send_report(pictures_.source(), picture_origin_ + static_cast<std::uint32_t>(sample * 15 / 8),
              pictures_.packets(), pictures_.payload_bytes(), {});
  if (offer_->has_sound)
    send_report(sound_source_, sound_origin_ + static_cast<std::uint32_t>(sample), sound_packets_,
                sound_bytes_, heard);
}

void LivePeer::send_report(std::uint32_t source, std::uint32_t timestamp, std::uint32_t packets,
                           std::uint32_t payload_bytes, const std::optional<ReportBlock>& heard) {
  const auto even = std::chrono::duration_cast<std::chrono::microseconds>(now().time_since_epoch());
  const auto unix_us = static_cast<std::uint64_t>(even.count() + wall_offset_us_);
  SenderReport report;
  report.source = source;
  report.ntp_time =
      (unix_us / 1'000'000 + unix_epoch_in_ntp) << 32 | ((unix_us % 1'000'000) << 32) / 1'000'000;
  report.timestamp = timestamp;
  report.packets = packets;
  report.payload_bytes = payload_bytes;
  alignas(8) std::array<std::uint8_t, sender_report_max + Srtp::trailer_max> buffer;
  const auto length = write_sender_report(buffer, report, heard, options_.stream_name);
  const auto protected_length = srtp_->protect_rtcp(buffer, length);
  if (!protected_length) return;
  if (source == pictures_.source()) {
    sent_report_ = (sent_report_ + 1) % sent_reports_.size();
    sent_reports_[sent_report_] = {
        .middle_of_ntp = static_cast<std::uint32_t>(report.ntp_time >> 16), .at = now()};
  }
  send_out(MutableBytes(buffer).first(*protected_length));
}

void LivePeer::on_rtp(MutableBytes datagram) {
  const auto length = srtp_->open(datagram);
  const auto packet = length ? read_rtp(datagram.first(*length)) : std::nullopt;
  if (!packet || !offer_->has_sound || packet->header.payload_type != offer_->opus) {
    ++counts_.dropped;
    return;
  }
  if (!reception_.on_packet(packet->header, now(), 48000) || packet->payload.empty()) return;
  ++counts_.sound_packets_received;
  tell([&](PeerListener& listener) {
    listener.on_sound({.opus = packet->payload,
                       .timestamp = packet->header.timestamp,
                       .sequence_number = packet->header.sequence_number});
  });
}

void LivePeer::on_rtcp(MutableBytes datagram) {
  const auto length = srtp_->open_rtcp(datagram);
  if (!length || !read_rtcp(datagram.first(*length), *this)) ++counts_.dropped;
}

void LivePeer::on_report(const ReportBlock& block) {
  if (block.source != pictures_.source()) return;
  ++report_.reports;
  report_.at = now();
  report_.fraction_lost = block.fraction_lost / 256.0;
  report_.packets_lost = block.packets_lost;
  report_.jitter = std::chrono::milliseconds(block.jitter / 90);
  if (block.last_sender_report == 0) return;
  for (const auto& sent : sent_reports_) {
    if (sent.at == Moment{} || sent.middle_of_ntp != block.last_sender_report) continue;
    const auto held = std::chrono::microseconds(std::uint64_t{block.delay} * 1'000'000 / 65536);
    const auto trip = std::chrono::duration_cast<std::chrono::milliseconds>(now() - sent.at - held);
    report_.round_trip = std::max(trip, 0ms);
  }
}

void LivePeer::on_sender_report(const SenderReport& report) {
  reception_.on_sender_report(report.ntp_time, now());
}

void LivePeer::on_nack(std::uint32_t source, std::uint16_t sequence_number) {
  if (source != pictures_.source()) return;
  const auto trip = std::clamp(report_.round_trip.value_or(20ms), 10ms, 200ms);
  const auto packet = pictures_.again(sequence_number, now(), trip);
  if (packet.empty()) return;
  ++counts_.picture_packets_resent;
  send_out(packet);
}

void LivePeer::on_picture_lost(std::uint32_t source) {
  if (source == pictures_.source()) want_key_frame();
}

void LivePeer::on_key_frame_asked(std::uint32_t source, std::uint8_t command) {
  // RFC 5104 4.3.1.2: the same number is the same request, sent again in case it was lost.
  if (source == pictures_.source() && std::exchange(last_command_, command) != command)
    want_key_frame();
}

void LivePeer::want_key_frame() {
  is_key_frame_wanted_ = key_frame_told_ != Moment{} && now() - key_frame_told_ < key_frames_apart;
  if (is_key_frame_wanted_) return;
  key_frame_told_ = now();
  tell([](PeerListener& listener) { listener.on_key_frame_wanted(); });
}

void LivePeer::on_channel_packet(Bytes packet) {
  dtls_->write(packet);
}

void LivePeer::on_channel_open(ChannelId channel, std::string_view label) {
  tell([&](PeerListener& listener) { listener.on_channel_open(channel, label); });
}

void LivePeer::on_channel_message(ChannelId channel, MessageKind kind, std::string_view text) {
  tell([&](PeerListener& listener) { listener.on_message(channel, kind, text); });
}

void LivePeer::on_channel_message_refused(ChannelId channel) {
  tell([&](PeerListener& listener) { listener.on_message_refused(channel); });
}

void LivePeer::on_channel_closed(ChannelId channel) {
  tell([&](PeerListener& listener) { listener.on_channel_closed(channel); });
}

}  // namespace stagedoor::media
