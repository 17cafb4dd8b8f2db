// RTP and RTCP as a session needs them (RFC 3550, RFC 4585, RFC 5104, RFC 5761). Pure; nothing is
// allocated.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "media/endpoint.h"

namespace stagedoor::media {

inline constexpr std::size_t rtp_header_bytes = 12;

struct RtpHeader {
  std::uint8_t payload_type = 0;
  bool is_last_of_picture = false;  // the marker
  std::uint16_t sequence_number = 0;
  std::uint32_t timestamp = 0;
  std::uint32_t source = 0;  // SSRC
};
void write_rtp_header(MutableBytes out, const RtpHeader& header);

struct RtpPacket {
  RtpHeader header;
  Bytes payload;  // without extensions and padding; may be empty
};
std::optional<RtpPacket> read_rtp(Bytes packet);

// Datagrams of the first byte 128..191 are RTP or RTCP (RFC 7983), told apart by the second
// (RFC 5761 4).
inline bool is_rtp_or_rtcp(Bytes datagram) {
  return datagram.size() >= 8 && datagram[0] >= 128 && datagram[0] < 192;
}
inline bool is_rtcp(Bytes datagram) {
  return datagram[1] >= 192 && datagram[1] < 224;
}

// What a receiver says of one source (RFC 3550 6.4.1).
struct ReportBlock {
  std::uint32_t source = 0;
  std::uint8_t fraction_lost = 0;  // of 256
  std::int32_t packets_lost = 0;
  std::uint32_t highest_sequence = 0;
  std::uint32_t jitter = 0;              // in units of the stream's clock
  std::uint32_t last_sender_report = 0;  // the middle of its NTP time; 0: none
  std::uint32_t delay = 0;               // since then, in 1/65536 s
};

struct SenderReport {
  std::uint32_t source = 0;
  std::uint64_t ntp_time = 0;   // seconds since 1900 and 1/2^32
  std::uint32_t timestamp = 0;  // of the stream, at that very time
  std::uint32_t packets = 0, payload_bytes = 0;
};

inline constexpr std::size_t sender_report_max = 28 + 24 + 8 + 264;
inline constexpr std::size_t cname_bytes_max = 255;
// A sender report, with what was heard of another source if anything, and SDES with the cname.
std::size_t write_sender_report(MutableBytes out, const SenderReport& report,
                                const std::optional<ReportBlock>& heard, std::string_view cname);

// What a compound packet tells; calls come in its order.
class RtcpListener {
 public:
  virtual ~RtcpListener() = default;
  virtual void on_report(const ReportBlock&) {}
  virtual void on_sender_report(const SenderReport&) {}
  virtual void on_nack(std::uint32_t /*source*/, std::uint16_t /*sequence_number*/) {}
  virtual void on_picture_lost(std::uint32_t /*source*/) {}  // PLI
  // FIR: `command` differs from the one before unless it is the same request again.
  virtual void on_key_frame_asked(std::uint32_t /*source*/, std::uint8_t /*command*/) {}
  virtual void on_bye(std::uint32_t /*source*/) {}
};

// False: not compound RTCP; then nothing was told. Kinds that we don't know are passed over.
bool read_rtcp(Bytes compound, RtcpListener& listener);

// How much of one incoming stream arrives, for our reports on it (RFC 3550 A.1, A.3, A.8).
class Reception {
 public:
  // False: the packet came before (or is far too old); it should not be played twice.
  bool on_packet(const RtpHeader& header, Moment now, std::uint32_t clock_rate);
  void on_sender_report(std::uint64_t ntp_time, Moment now);
  // nullopt: nothing came yet. Each call begins the next interval.
  std::optional<ReportBlock> report(Moment now);

 private:
  bool restart(const RtpHeader& header);

  bool has_started_ = false;
  std::uint32_t source_ = 0;
  std::uint32_t first_ = 0, highest_ = 0;  // extended sequence numbers
  std::uint64_t seen_ = 0;                 // bit n: the packet highest_ - n has come
  std::uint32_t received_ = 0, expected_before_ = 0, received_before_ = 0;
  std::int64_t transit_ = 0;
  double jitter_ = 0;
  std::uint32_t last_sender_report_ = 0;
  Moment sender_report_at_{};
};

}  // namespace stagedoor::media
