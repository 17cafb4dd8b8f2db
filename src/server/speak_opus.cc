// SPDX-License-Identifier: Apache-2.0

#include "server/speak_opus.h"

#include <ogg/ogg.h>
#include <opus.h>

#include <algorithm>
#include <memory>

namespace stagedoor::server {
namespace {

constexpr int granule_rate_hz = 48000;
constexpr int bits_per_second = 32000;
constexpr std::size_t packet_bytes_max = 1275;

struct EncoderDestroyer {
  void operator()(OpusEncoder* encoder) const { opus_encoder_destroy(encoder); }
};

class Pages {
 public:
  Pages() { ogg_stream_init(&stream_, 1); }
  ~Pages() { ogg_stream_clear(&stream_); }
  Pages(const Pages&) = delete;
  Pages& operator=(const Pages&) = delete;

  void add(std::string packet, std::int64_t granule, bool last) {
    ogg_packet one{};
    one.packet = reinterpret_cast<unsigned char*>(packet.data());
    one.bytes = static_cast<long>(packet.size());
    one.b_o_s = count_ == 0;
    one.e_o_s = last;
    one.granulepos = granule;
    one.packetno = count_++;
    ogg_stream_packetin(&stream_, &one);
    ogg_page page{};
    while (ogg_stream_flush(&stream_, &page) != 0) {
      std::string bytes(reinterpret_cast<const char*>(page.header),
                        static_cast<std::size_t>(page.header_len));
      bytes.append(reinterpret_cast<const char*>(page.body),
                   static_cast<std::size_t>(page.body_len));
      done_.push_back(std::move(bytes));
    }
  }
  std::vector<std::string> take() { return std::move(done_); }

 private:
  ogg_stream_state stream_{};
  std::int64_t count_ = 0;
  std::vector<std::string> done_;
};

void append_little_endian(std::string& bytes, std::uint32_t value, int width) {
  for (int i = 0; i < width; ++i) bytes.push_back(static_cast<char>(value >> (8 * i) & 0xFF));
}

// RFC 7845 section 5.1.
std::string opus_head(int pre_skip_units, int rate_hz) {
  std::string head = "OpusHead";
  head += {'\x01', '\x01'};  // version, channels
  append_little_endian(head, static_cast<std::uint32_t>(pre_skip_units), 2);
  append_little_endian(head, static_cast<std::uint32_t>(rate_hz), 4);
  append_little_endian(head, 0, 3);  // output gain, channel mapping family
  return head;
}

// RFC 7845 section 5.2.
std::string opus_tags() {
  constexpr std::string_view vendor = "stagedoor";
  std::string tags = "OpusTags";
  append_little_endian(tags, vendor.size(), 4);
  tags += vendor;
  append_little_endian(tags, 0, 4);
  return tags;
}

}  // namespace

base::Result<std::vector<std::string>> ogg_opus_pages(const Sound& sound) {
  int status = OPUS_OK;
  const std::unique_ptr<OpusEncoder, EncoderDestroyer> encoder(
      opus_encoder_create(sound.rate_hz, 1, OPUS_APPLICATION_VOIP, &status));
  if (!encoder) return base::fail(base::ErrorCode::unavailable, "opus_encoder_create");
  opus_encoder_ctl(encoder.get(), OPUS_SET_BITRATE(bits_per_second));
  opus_int32 delay = 0;
  opus_encoder_ctl(encoder.get(), OPUS_GET_LOOKAHEAD(&delay));
  const int units = granule_rate_hz / sound.rate_hz;
  const auto frame = static_cast<std::size_t>(sound.rate_hz / 50);

  Pages pages;
  pages.add(opus_head(delay * units, sound.rate_hz), 0, false);
  pages.add(opus_tags(), 0, false);
  auto padded = sound.samples;
  const auto total = padded.size() + static_cast<std::size_t>(delay);
  padded.resize((total + frame - 1) / frame * frame);
  for (std::size_t at = 0; at < padded.size(); at += frame) {
    std::string packet(packet_bytes_max, '\0');
    const int bytes = opus_encode(encoder.get(), padded.data() + at, static_cast<int>(frame),
                                  reinterpret_cast<unsigned char*>(packet.data()),
                                  static_cast<opus_int32>(packet.size()));
    if (bytes < 1) return base::fail(base::ErrorCode::unavailable, "opus_encode");
    packet.resize(static_cast<std::size_t>(bytes));
    const bool last = at + frame == padded.size();
    const auto end = last ? total : at + frame;
    pages.add(std::move(packet), static_cast<std::int64_t>(end) * units, last);
  }
  return pages.take();
}

}  // namespace stagedoor::server
