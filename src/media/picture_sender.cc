// SPDX-License-Identifier: Apache-2.0

#include "media/picture_sender.h"

#include <algorithm>

#include "media/rtp.h"
#include "media/vp8_payload.h"

namespace stagedoor::media {

namespace {

// As many as the ring surely holds.
constexpr std::size_t waiting_max = 300;
constexpr std::size_t packet_room = rtp_header_bytes + vp8_payload_max + Srtp::trailer_max;
static_assert(waiting_max * packet_room <= SentPackets::bytes_max - packet_room);
constexpr std::int64_t resend_bytes_per_second = 125'000;

}  // namespace

PictureSender::PictureSender(std::uint32_t source, std::uint16_t first_number)
    : source_(source),
      number_(first_number),
      waiting_(first_number),
      allowance_bytes_(resend_bytes_per_second) {}

bool PictureSender::add(Srtp& srtp, std::uint8_t payload_type, Bytes frame,
                        std::uint32_t timestamp) {
  const std::size_t waiting = static_cast<std::uint16_t>(number_ - waiting_);
  const auto count = vp8_payload_count(frame.size());
  if (count == 0 || frame.size() > picture_bytes_max || waiting + count > waiting_max) return false;
  ++picture_;
  for (std::size_t i = 0; i < count; ++i)
    if (!add_packet(srtp, payload_type, frame, i, timestamp)) return false;
  return true;
}

bool PictureSender::add_packet(Srtp& srtp, std::uint8_t payload_type, Bytes frame,
                               std::size_t index, std::uint32_t timestamp) {
  const auto room = sent_.reserve(packet_room);
  RtpHeader header;
  header.payload_type = payload_type;
  header.is_last_of_picture = index + 1 == vp8_payload_count(frame.size());
  header.sequence_number = number_;
  header.timestamp = timestamp;
  header.source = source_;
  write_rtp_header(room, header);
  const auto payload = write_vp8_payload(room.subspan(rtp_header_bytes), frame, index, picture_);
  const auto length = srtp.protect(room, rtp_header_bytes + payload);
  if (!length) return false;
  sent_.keep(number_++, *length);
  ++packets_;
  payload_bytes_ += static_cast<std::uint32_t>(payload);
  return true;
}

Bytes PictureSender::next() {
  if (waiting_ == number_ || burst_left_ == 0) return {};
  --burst_left_;
  return sent_.find(waiting_++);
}

void PictureSender::begin_tick(Moment now) {
  burst_left_ = burst_packets;
  if (allowance_at_ != Moment{}) {
    const auto passed =
        std::chrono::duration_cast<std::chrono::milliseconds>(now - allowance_at_).count();
    allowance_bytes_ = std::min(resend_bytes_per_second,
                                allowance_bytes_ + passed * resend_bytes_per_second / 1000);
  }
  allowance_at_ = now;
}

Bytes PictureSender::again(std::uint16_t sequence_number, Moment now,
                           std::chrono::milliseconds round_trip) {
  // Not yet sent at all: it is on its way.
  const std::size_t waiting = static_cast<std::uint16_t>(number_ - waiting_);
  if (static_cast<std::uint16_t>(sequence_number - waiting_) < waiting) return {};
  if (allowance_bytes_ <= 0) return {};
  const auto packet = sent_.find_to_resend(sequence_number, now, round_trip);
  allowance_bytes_ -= static_cast<std::int64_t>(packet.size());
  return packet;
}

void PictureSender::forget() {
  sent_.clear();
  waiting_ = number_;
}

}  // namespace stagedoor::media
