// SPDX-License-Identifier: Apache-2.0

#include "engines/opus_ogg.h"

#include <ogg/ogg.h>
#include <opus.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace stagedoor::engines {
namespace {

constexpr int granule_rate_hz = 48000;
constexpr int packet_samples_max = 5760;  // 120 ms at 48 kHz, the longest packet of RFC 6716
// RFC 7845 section 6: what a decoder has to accept of one packet.
constexpr std::size_t packet_bytes_max = 61440;
constexpr std::uint64_t comment_bytes_max = 8 * 1024 * 1024;
// Bytes given to libogg at once, so that it never keeps more than a page and this.
constexpr std::size_t slice_bytes = 4096;

struct DecoderDestroyer {
  void operator()(OpusDecoder* decoder) const { opus_decoder_destroy(decoder); }
};

base::Result<base::Done> refuse(std::string detail, std::string hint) {
  return base::fail(base::ErrorCode::malformed, "ogg opus: " + std::move(detail), std::move(hint));
}
base::Result<base::Done> refuse_alien(std::string detail) {
  return refuse(std::move(detail), "the audio is not an Ogg Opus stream");
}
base::Result<base::Done> refuse_damaged(std::string detail) {
  return refuse(std::move(detail), "the Ogg Opus stream is damaged or parts of it are missing");
}

// The lacing table of a page: how its body is cut into packets.
struct Lacing {
  std::span<const unsigned char> values;

  explicit Lacing(const ogg_page& page)
      : values(page.header + 27, static_cast<std::size_t>(page.header[26])) {}

  std::size_t packets_ending() const {
    return static_cast<std::size_t>(
        std::ranges::count_if(values, [](unsigned char v) { return v < 255; }));
  }
  bool last_packet_goes_on() const { return !values.empty() && values.back() == 255; }
  // Bytes of this page's body that belong to the packet that goes on.
  std::size_t open_bytes() const {
    std::size_t bytes = 0;
    for (auto at = values.rbegin(); at != values.rend() && *at == 255; ++at) bytes += 255;
    return bytes;
  }
};

std::uint16_t little_endian_16(const unsigned char* bytes) {
  return static_cast<std::uint16_t>(bytes[0] | bytes[1] << 8);
}

}  // namespace

struct OpusOgg::State {
  enum class Expects { head, comments, sound, nothing };

  explicit State(int rate) : rate_hz(rate), units_per_sample(granule_rate_hz / rate) {
    ogg_sync_init(&sync);
  }
  ~State() {
    ogg_sync_clear(&sync);
    if (stream_made) ogg_stream_clear(&stream);
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  base::Result<base::Done> slice(std::span<const char> bytes, std::vector<std::int16_t>& out);
  base::Result<base::Done> page(ogg_page& page, std::vector<std::int16_t>& out);
  base::Result<base::Done> in_order(const ogg_page& page);
  base::Result<base::Done> head(const ogg_page& page);
  base::Result<base::Done> comments(const ogg_page& page);
  base::Result<base::Done> sound(ogg_page& page, std::vector<std::int16_t>& out);
  base::Result<base::Done> packet(const ogg_packet& packet, std::vector<std::int16_t>& out);
  void place(const ogg_page& page, std::size_t page_begin, std::vector<std::int16_t>& out);

  const int rate_hz;
  const int units_per_sample;  // of the granule position's 48 kHz
  ogg_sync_state sync{};
  ogg_stream_state stream{};
  bool stream_made = false;
  std::unique_ptr<OpusDecoder, DecoderDestroyer> decoder;

  Expects expects = Expects::head;
  std::optional<base::Error> refused;
  bool touched = false;  // a byte has come
  long serial = 0;
  std::uint32_t next_page = 0;
  bool packet_open = false;  // the last page ended inside a packet
  std::uint64_t comment_bytes = 0;
  std::size_t open_bytes = 0;

  std::int64_t skip_samples = 0;  // of pre-skip, still to be dropped
  std::int64_t pre_skip_samples = 0;
  std::int64_t decoded_samples = 0;         // from the first packet on, pre-skip included
  std::optional<std::int64_t> first_units;  // granule position where the first packet starts
};

OpusOgg::OpusOgg(std::unique_ptr<State> state) : state_(std::move(state)) {}
OpusOgg::OpusOgg(OpusOgg&&) noexcept = default;
OpusOgg& OpusOgg::operator=(OpusOgg&&) noexcept = default;
OpusOgg::~OpusOgg() = default;

base::Result<OpusOgg> OpusOgg::create(int rate_hz) {
  if (std::ranges::find(stage::opus_rates_hz, rate_hz) == stage::opus_rates_hz.end()) {
    return base::fail(base::ErrorCode::unsupported, "opus rate " + std::to_string(rate_hz),
                      "Ogg Opus is taken at 8000, 12000, 16000, 24000 or 48000 Hz");
  }
  return OpusOgg(std::make_unique<State>(rate_hz));
}

base::Result<base::Done> OpusOgg::push(std::span<const char> bytes,
                                       std::vector<std::int16_t>& out) {
  if (state_->refused) return base::fail(*state_->refused);
  while (!bytes.empty()) {
    const auto size = std::min(bytes.size(), slice_bytes);
    const auto done = state_->slice(bytes.first(size), out);
    if (!done) {
      state_->refused = done.error();
      return done;
    }
    bytes = bytes.subspan(size);
  }
  return base::Done{};
}

base::Result<base::Done> OpusOgg::finish(std::vector<std::int16_t>& /*out*/) {
  State& s = *state_;
  if (s.refused) return base::fail(*s.refused);
  if (!s.touched) return base::Done{};
  auto done = base::Result<base::Done>(base::Done{});
  if (s.expects == State::Expects::head) {
    done = refuse_alien("ends before its first page is whole");
  } else if (s.sync.fill > s.sync.returned || s.packet_open) {
    done = refuse_damaged("ends inside a page or a packet");
  } else if (s.expects == State::Expects::comments) {
    done = refuse_damaged("ends before its comments");
  }
  if (!done) s.refused = done.error();
  return done;
}

base::Result<base::Done> OpusOgg::State::slice(std::span<const char> bytes,
                                               std::vector<std::int16_t>& out) {
  touched = true;
  char* room = ogg_sync_buffer(&sync, static_cast<long>(bytes.size()));
  if (room == nullptr) return base::fail(base::ErrorCode::unavailable, "ogg opus: no memory");
  std::memcpy(room, bytes.data(), bytes.size());
  ogg_sync_wrote(&sync, static_cast<long>(bytes.size()));
  for (;;) {
    ogg_page next{};
    const long seen = ogg_sync_pageseek(&sync, &next);
    if (seen == 0) return base::Done{};
    if (seen < 0) {
      // libogg skips bytes to find the next page: there are none to skip in a sound stream.
      if (expects == Expects::head) return refuse_alien("no Ogg page at the start");
      if (expects == Expects::nothing) return refuse_damaged("bytes after the last page");
      return refuse_damaged("bytes that belong to no page, or a page checksum that fails");
    }
    const auto done = page(next, out);
    if (!done) return done;
  }
}

base::Result<base::Done> OpusOgg::State::page(ogg_page& next, std::vector<std::int16_t>& out) {
  if (expects == Expects::head) return head(next);
  const auto ordered = in_order(next);
  if (!ordered) return ordered;
  return expects == Expects::comments ? comments(next) : sound(next, out);
}

base::Result<base::Done> OpusOgg::State::in_order(const ogg_page& next) {
  constexpr auto one = "the audio must be one Ogg Opus stream, neither chained nor multiplexed";
  if (expects == Expects::nothing) return refuse("a page after the last page", one);
  if (ogg_page_bos(&next) != 0) return refuse("a second first page", one);
  if (ogg_page_serialno(&next) != serial) return refuse("two serial numbers", one);
  if (static_cast<std::uint32_t>(ogg_page_pageno(&next)) != next_page) {
    return refuse_damaged("a page is lost or out of order");
  }
  ++next_page;
  if ((ogg_page_continued(&next) != 0) != packet_open) {
    return refuse_damaged("a packet is not continued where it should be, or the other way round");
  }
  return base::Done{};
}

// RFC 7845 section 5.1.
base::Result<base::Done> OpusOgg::State::head(const ogg_page& next) {
  const Lacing lacing(next);
  const auto bytes = static_cast<std::size_t>(next.body_len);
  const unsigned char* body = next.body;
  if (ogg_page_bos(&next) == 0 || ogg_page_continued(&next) != 0) {
    return refuse_alien("does not begin with a first page");
  }
  if (bytes < 8 || std::memcmp(body, "OpusHead", 8) != 0) return refuse_alien("no OpusHead");
  if (lacing.packets_ending() != 1 || lacing.last_packet_goes_on() || bytes < 19) {
    return refuse_damaged("OpusHead is cut short or shares its page");
  }
  if ((body[8] & 0xF0) != 0) {
    return refuse("version of OpusHead", "the Ogg Opus stream has an unknown version");
  }
  const int channels = body[9];
  const int mapping_family = body[18];
  if (mapping_family != 0 || channels < 1 || channels > 2) {
    return refuse(
        "channels " + std::to_string(channels) + ", family " + std::to_string(mapping_family),
        "the Ogg Opus stream must be mono or stereo (channel mapping family 0)");
  }
  // libopus mixes the two channels into one itself when asked for one.
  int status = OPUS_OK;
  decoder.reset(opus_decoder_create(rate_hz, 1, &status));
  if (!decoder) return base::fail(base::ErrorCode::unavailable, "opus_decoder_create");
  const auto gain = static_cast<std::int16_t>(little_endian_16(body + 16));
  opus_decoder_ctl(decoder.get(), OPUS_SET_GAIN(static_cast<opus_int32>(gain)));
  pre_skip_samples = skip_samples = little_endian_16(body + 10) / units_per_sample;
  serial = ogg_page_serialno(&next);
  next_page = static_cast<std::uint32_t>(ogg_page_pageno(&next)) + 1;
  expects = ogg_page_eos(&next) != 0 ? Expects::nothing : Expects::comments;
  return base::Done{};
}

// RFC 7845 section 5.2: one packet over any number of pages, of which only the magic matters here.
base::Result<base::Done> OpusOgg::State::comments(const ogg_page& next) {
  const Lacing lacing(next);
  if (!packet_open && (next.body_len < 8 || std::memcmp(next.body, "OpusTags", 8) != 0)) {
    return refuse_alien("no OpusTags");
  }
  comment_bytes += static_cast<std::uint64_t>(next.body_len);
  if (comment_bytes > comment_bytes_max) {
    return refuse("comments over the limit", "the comments of the Ogg Opus stream exceed 8 MiB");
  }
  const auto ending = lacing.packets_ending();
  packet_open = ending == 0;
  if (ending > 1 || (ending == 1 && lacing.last_packet_goes_on())) {
    return refuse_damaged("OpusTags shares its page with sound");
  }
  if (ogg_page_eos(&next) != 0) {
    if (packet_open) return refuse_damaged("the last page ends inside OpusTags");
    expects = Expects::nothing;
  } else if (!packet_open) {
    expects = Expects::sound;
  }
  return base::Done{};
}

base::Result<base::Done> OpusOgg::State::sound(ogg_page& next, std::vector<std::int16_t>& out) {
  const Lacing lacing(next);
  if (!stream_made) {
    if (ogg_stream_init(&stream, static_cast<int>(serial)) != 0) {
      return base::fail(base::ErrorCode::unavailable, "ogg opus: no memory");
    }
    stream_made = true;
    ogg_stream_reset(&stream);  // So that it may begin at a page other than its first.
  }
  const std::size_t added = lacing.open_bytes();
  open_bytes = lacing.packets_ending() == 0 ? open_bytes + added : added;
  if (open_bytes > packet_bytes_max) {
    return refuse("a packet over the limit", "a packet of the Ogg Opus stream does not end");
  }
  if (!lacing.values.empty()) packet_open = lacing.last_packet_goes_on();
  if (ogg_stream_pagein(&stream, &next) != 0) return refuse_damaged("a page that libogg refuses");

  const std::size_t page_begin = out.size();
  const auto decoded_before = decoded_samples;
  for (;;) {
    ogg_packet one{};
    const int got = ogg_stream_packetout(&stream, &one);
    if (got == 0) break;
    if (got < 0) return refuse_damaged("a gap between packets");
    const auto done = packet(one, out);
    if (!done) return done;
  }
  if (decoded_samples > decoded_before || ogg_page_eos(&next) != 0) place(next, page_begin, out);
  if (ogg_page_eos(&next) != 0) {
    if (packet_open) return refuse_damaged("the last page ends inside a packet");
    expects = Expects::nothing;
  }
  return base::Done{};
}

base::Result<base::Done> OpusOgg::State::packet(const ogg_packet& one,
                                                std::vector<std::int16_t>& out) {
  const int units = one.bytes == 0 || one.bytes > static_cast<long>(packet_bytes_max)
                        ? OPUS_INVALID_PACKET
                        : opus_packet_get_nb_samples(one.packet, static_cast<opus_int32>(one.bytes),
                                                     granule_rate_hz);
  if (units <= 0 || units > packet_samples_max) return refuse_damaged("not an Opus packet");
  const auto begin = out.size();
  const int room = units / units_per_sample;
  out.resize(begin + static_cast<std::size_t>(room));
  const int decoded = opus_decode(decoder.get(), one.packet, static_cast<opus_int32>(one.bytes),
                                  out.data() + begin, room, 0);
  if (decoded != room) {
    out.resize(begin);
    return refuse_damaged("libopus cannot decode a packet");
  }
  decoded_samples += decoded;
  const auto dropped = std::min<std::int64_t>(skip_samples, decoded);
  skip_samples -= dropped;
  const auto at = out.begin() + static_cast<std::ptrdiff_t>(begin);
  out.erase(at, at + static_cast<std::ptrdiff_t>(dropped));
  return base::Done{};
}

// RFC 7845 section 4: the granule position of a page is the number of samples at 48 kHz, pre-skip
// included, at the end of the last packet that it completes; on the last page a smaller one cuts
// the end off. A stream may begin at a position other than 0.
void OpusOgg::State::place(const ogg_page& next, std::size_t page_begin,
                           std::vector<std::int16_t>& out) {
  const std::int64_t granule = ogg_page_granulepos(&next);
  const bool last = ogg_page_eos(&next) != 0;
  if (granule < 0) return;
  // Positions near the ends of their range are nonsense, and would overflow the sums below.
  constexpr std::int64_t granule_max = std::int64_t{1} << 60;
  if (granule > granule_max) return;
  if (!first_units) {
    const auto start = granule - decoded_samples * units_per_sample;
    first_units = last ? std::max<std::int64_t>(start, 0) : start;
  }
  if (!last) return;
  const auto kept = (granule - *first_units) / units_per_sample;
  const auto excess = std::clamp<std::int64_t>(decoded_samples - kept, 0,
                                               static_cast<std::int64_t>(out.size() - page_begin));
  out.resize(out.size() - static_cast<std::size_t>(excess));
}

}  // namespace stagedoor::engines
