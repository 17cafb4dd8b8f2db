// SPDX-License-Identifier: Apache-2.0

#include "media/rtp.h"

#include <algorithm>
#include <cmath>

#include "media/big_endian.h"

namespace stagedoor::media {

namespace {

enum PacketType : std::uint8_t {
  sender_report = 200,
  receiver_report = 201,
  source_description = 202,
  goodbye = 203,
  transport_feedback = 205,
  payload_feedback = 206,
};
constexpr std::size_t report_block_bytes = 24;

ReportBlock read_block(const std::uint8_t* at) {
  ReportBlock block;
  block.source = read_u32(at);
  block.fraction_lost = at[4];
  const auto lost = read_u24(at + 5);
  block.packets_lost = static_cast<std::int32_t>(lost << 8) >> 8;
  block.highest_sequence = read_u32(at + 8);
  block.jitter = read_u32(at + 12);
  block.last_sender_report = read_u32(at + 16);
  block.delay = read_u32(at + 20);
  return block;
}

void write_block(std::uint8_t* at, const ReportBlock& block) {
  write_u32(at, block.source);
  const auto lost = static_cast<std::uint32_t>(std::clamp(block.packets_lost, -0x800000, 0x7fffff));
  write_u32(at + 4, static_cast<std::uint32_t>(block.fraction_lost) << 24 | (lost & 0xffffff));
  write_u32(at + 8, block.highest_sequence);
  write_u32(at + 12, block.jitter);
  write_u32(at + 16, block.last_sender_report);
  write_u32(at + 20, block.delay);
}

void tell_blocks(Bytes blocks, std::size_t count, RtcpListener& listener) {
  for (std::size_t i = 0; i < count && blocks.size() >= report_block_bytes; ++i) {
    listener.on_report(read_block(blocks.data()));
    blocks = blocks.subspan(report_block_bytes);
  }
}

void tell_sender_report(Bytes packet, std::size_t count, RtcpListener& listener) {
  if (packet.size() < 28) return;
  SenderReport report;
  report.source = read_u32(&packet[4]);
  report.ntp_time = static_cast<std::uint64_t>(read_u32(&packet[8])) << 32 | read_u32(&packet[12]);
  report.timestamp = read_u32(&packet[16]);
  report.packets = read_u32(&packet[20]);
  report.payload_bytes = read_u32(&packet[24]);
  listener.on_sender_report(report);
  tell_blocks(packet.subspan(28), count, listener);
}

// RFC 4585 6.2.1: a sequence number, and a bit for each of the 16 after it.
void tell_nacks(Bytes packet, RtcpListener& listener) {
  if (packet.size() < 12) return;
  const auto source = read_u32(&packet[8]);
  for (auto items = packet.subspan(12); items.size() >= 4; items = items.subspan(4)) {
    const auto first = read_u16(&items[0]);
    listener.on_nack(source, first);
    const auto others = read_u16(&items[2]);
    for (int i = 0; i < 16; ++i)
      if (others >> i & 1) listener.on_nack(source, static_cast<std::uint16_t>(first + 1 + i));
  }
}

void tell_payload_feedback(Bytes packet, std::size_t format, RtcpListener& listener) {
  if (packet.size() < 12) return;
  if (format == 1) listener.on_picture_lost(read_u32(&packet[8]));
  if (format != 4) return;
  // RFC 5104 4.3.1: FIR names its sources itself.
  for (auto items = packet.subspan(12); items.size() >= 8; items = items.subspan(8))
    listener.on_key_frame_asked(read_u32(&items[0]), items[4]);
}

void tell(Bytes packet, RtcpListener& listener) {
  const std::size_t count = packet[0] & 31;
  switch (packet[1]) {
    case sender_report:
      return tell_sender_report(packet, count, listener);
    case receiver_report:
      if (packet.size() >= 8) tell_blocks(packet.subspan(8), count, listener);
      return;
    case goodbye:
      for (std::size_t i = 0; i < count && 8 + 4 * i <= packet.size(); ++i)
        listener.on_bye(read_u32(&packet[4 + 4 * i]));
      return;
    case transport_feedback:
      if (count == 1) tell_nacks(packet, listener);
      return;
    case payload_feedback:
      return tell_payload_feedback(packet, count, listener);
    default:
      return;
  }
}

// The length of the packet at the front; 0: broken.
std::size_t length_of_first(Bytes rest) {
  if (rest.size() < 4 || rest[0] >> 6 != 2 || rest[1] < 192 || rest[1] > 223) return 0;
  const std::size_t length = (read_u16(&rest[2]) + std::size_t{1}) * 4;
  return length <= rest.size() ? length : 0;
}

}  // namespace

void write_rtp_header(MutableBytes out, const RtpHeader& header) {
  out[0] = 0x80;
  out[1] = static_cast<std::uint8_t>((header.is_last_of_picture ? 0x80 : 0) | header.payload_type);
  write_u16(&out[2], header.sequence_number);
  write_u32(&out[4], header.timestamp);
  write_u32(&out[8], header.source);
}

std::optional<RtpPacket> read_rtp(Bytes packet) {
  if (packet.size() < rtp_header_bytes || packet[0] >> 6 != 2) return std::nullopt;
  std::size_t at = rtp_header_bytes + 4 * (packet[0] & 15u);
  if (packet[0] & 0x10) {
    if (packet.size() < at + 4) return std::nullopt;
    at += 4 + 4 * std::size_t{read_u16(&packet[at + 2])};
  }
  std::size_t padding = 0;
  if (packet[0] & 0x20) {
    padding = packet.back();
    if (padding == 0) return std::nullopt;
  }
  if (packet.size() < at + padding) return std::nullopt;
  RtpPacket read;
  read.header.payload_type = packet[1] & 0x7f;
  read.header.is_last_of_picture = packet[1] & 0x80;
  read.header.sequence_number = read_u16(&packet[2]);
  read.header.timestamp = read_u32(&packet[4]);
  read.header.source = read_u32(&packet[8]);
  read.payload = packet.subspan(at, packet.size() - at - padding);
  return read;
}

std::size_t write_sender_report(MutableBytes out, const SenderReport& report,
                                const std::optional<ReportBlock>& heard, std::string_view cname) {
  cname = cname.substr(0, cname_bytes_max);
  out[0] = static_cast<std::uint8_t>(0x80 | (heard ? 1 : 0));
  out[1] = sender_report;
  write_u16(&out[2], heard ? 12 : 6);
  write_u32(&out[4], report.source);
  write_u64(&out[8], report.ntp_time);
  write_u32(&out[16], report.timestamp);
  write_u32(&out[20], report.packets);
  write_u32(&out[24], report.payload_bytes);
  if (heard) write_block(&out[28], *heard);

  // RFC 3550 6.5: one chunk, its items ended by a zero and padded to four bytes.
  const auto sdes = out.subspan(heard ? 52 : 28);
  const std::size_t length = (8 + 2 + cname.size() + 1 + 3) & ~std::size_t{3};
  std::fill_n(sdes.begin(), length, std::uint8_t{0});
  sdes[0] = 0x81;
  sdes[1] = source_description;
  write_u16(&sdes[2], static_cast<std::uint16_t>(length / 4 - 1));
  write_u32(&sdes[4], report.source);
  sdes[8] = 1;
  sdes[9] = static_cast<std::uint8_t>(cname.size());
  std::copy(cname.begin(), cname.end(), sdes.begin() + 10);
  return (heard ? 52 : 28) + length;
}

bool read_rtcp(Bytes compound, RtcpListener& listener) {
  if (compound.empty()) return false;
  for (auto rest = compound; !rest.empty();) {
    const auto length = length_of_first(rest);
    if (length == 0) return false;
    rest = rest.subspan(length);
  }
  for (auto rest = compound; !rest.empty();) {
    const auto length = length_of_first(rest);
    tell(rest.first(length), listener);
    rest = rest.subspan(length);
  }
  return true;
}

bool Reception::restart(const RtpHeader& header) {
  *this = Reception();
  has_started_ = true;
  source_ = header.source;
  first_ = highest_ = 0x10000u + header.sequence_number;
  seen_ = 1;
  received_ = 1;
  return true;
}

bool Reception::on_packet(const RtpHeader& header, Moment now, std::uint32_t clock_rate) {
  const auto arrived =
      std::chrono::duration_cast<std::chrono::microseconds>(now.time_since_epoch()).count();
  // Times within the stream are compared modulo 2^32 only.
  const auto ticks =
      static_cast<std::uint32_t>(static_cast<std::uint64_t>(arrived) * clock_rate / 1'000'000);
  const std::int64_t transit = static_cast<std::int32_t>(ticks - header.timestamp);
  if (!has_started_ || source_ != header.source) {
    restart(header);
    transit_ = transit;
    return true;
  }
  const auto ahead =
      static_cast<std::int16_t>(header.sequence_number - static_cast<std::uint16_t>(highest_));
  if (ahead > 0) {
    highest_ += static_cast<std::uint32_t>(ahead);
    seen_ = ahead < 64 ? seen_ << ahead | 1 : 1;
  } else {
    if (ahead <= -64) return false;
    const auto bit = std::uint64_t{1} << -ahead;
    if (seen_ & bit) return false;
    seen_ |= bit;
    first_ = std::min(first_, highest_ - static_cast<std::uint32_t>(-ahead));
  }
  ++received_;
  // Half the circle is as far as times can be apart, and has no positive in 32 bits.
  const auto change = std::abs(std::int64_t{static_cast<std::int32_t>(transit - transit_)});
  transit_ = transit;
  jitter_ += (static_cast<double>(change) - jitter_) / 16;
  return true;
}

void Reception::on_sender_report(std::uint64_t ntp_time, Moment now) {
  last_sender_report_ = static_cast<std::uint32_t>(ntp_time >> 16);
  sender_report_at_ = now;
}

std::optional<ReportBlock> Reception::report(Moment now) {
  if (!has_started_) return std::nullopt;
  ReportBlock block;
  block.source = source_;
  const auto expected = highest_ - first_ + 1;
  block.packets_lost = static_cast<std::int32_t>(expected - received_);
  const auto expected_here = expected - expected_before_;
  const auto received_here = received_ - received_before_;
  if (expected_here > received_here)
    block.fraction_lost = static_cast<std::uint8_t>(std::min<std::uint64_t>(
        255, (std::uint64_t{expected_here - received_here} << 8) / expected_here));
  expected_before_ = expected;
  received_before_ = received_;
  block.highest_sequence = highest_ - 0x10000u;
  block.jitter = static_cast<std::uint32_t>(jitter_);
  block.last_sender_report = last_sender_report_;
  if (last_sender_report_ != 0) {
    const auto delay = now - sender_report_at_;
    block.delay = static_cast<std::uint32_t>(
        std::chrono::duration_cast<std::chrono::microseconds>(delay).count() * 65536 / 1'000'000);
  }
  return block;
}

}  // namespace stagedoor::media
