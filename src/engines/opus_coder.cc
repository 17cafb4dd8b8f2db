// SPDX-License-Identifier: Apache-2.0

#include "engines/opus_coder.h"

#include <opus.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

namespace stagedoor::engines {
namespace {

constexpr int bits_per_second = 32'000;
// 20 ms at 32 kbit/s are 80 bytes; the encoder may not go beyond what fits in a datagram.
constexpr std::size_t packet_bytes_max = 1'000;
// Packets missing for at most this long are made up.
constexpr int made_up_milliseconds_max = 200;
// RFC 3550 A.1: a sequence number further back than this is no late packet but another count.
constexpr int late_max = 100;

struct EncoderDestroyer {
  void operator()(OpusEncoder* encoder) const { opus_encoder_destroy(encoder); }
};
struct DecoderDestroyer {
  void operator()(OpusDecoder* decoder) const { opus_decoder_destroy(decoder); }
};
using Encoder = std::unique_ptr<OpusEncoder, EncoderDestroyer>;
using Decoder = std::unique_ptr<OpusDecoder, DecoderDestroyer>;

class OpusSoundEncoder : public stage::SoundEncoder {
 public:
  explicit OpusSoundEncoder(Encoder encoder) : encoder_(std::move(encoder)) {
    opus_encoder_ctl(encoder_.get(), OPUS_SET_BITRATE(bits_per_second));
    opus_encoder_ctl(encoder_.get(), OPUS_SET_COMPLEXITY(5));
    opus_encoder_ctl(encoder_.get(), OPUS_SET_INBAND_FEC(1));
    opus_encoder_ctl(encoder_.get(), OPUS_SET_SIGNAL(OPUS_SIGNAL_VOICE));
    set_loss(0.05F);
  }

  std::span<const std::uint8_t> packet(
      std::span<const std::int16_t, stage::packet_samples> samples) override {
    const auto bytes = opus_encode(encoder_.get(), samples.data(), static_cast<int>(samples.size()),
                                   packet_.data(), static_cast<opus_int32>(packet_.size()));
    if (bytes <= 0) return {};
    return std::span(packet_).first(static_cast<std::size_t>(bytes));
  }

  void set_loss(float share) override {
    const auto percent =
        std::isfinite(share) ? std::lround(std::clamp(share, 0.0F, 1.0F) * 100) : 0;
    opus_encoder_ctl(encoder_.get(), OPUS_SET_PACKET_LOSS_PERC(static_cast<opus_int32>(percent)));
  }

 private:
  Encoder encoder_;
  std::array<std::uint8_t, packet_bytes_max> packet_{};
};

class OpusSoundDecoder : public stage::SoundDecoder {
 public:
  OpusSoundDecoder(Decoder decoder, int rate_hz)
      : decoder_(std::move(decoder)), rate_hz_(rate_hz) {}

  base::Result<base::Done> push(std::uint16_t sequence, std::span<const std::uint8_t> packet,
                                std::vector<std::int16_t>& out) override;

 private:
  // Decodes into the end of `out`; no samples where libopus refuses.
  int decode(std::span<const std::uint8_t> packet, int samples, int from_redundancy,
             std::vector<std::int16_t>& out);
  void make_up(int missing, std::span<const std::uint8_t> packet, std::vector<std::int16_t>& out);

  Decoder decoder_;
  int rate_hz_;
  std::optional<std::uint16_t> last_;
  int last_samples_ = 0;  // of the packet before
};

int OpusSoundDecoder::decode(std::span<const std::uint8_t> packet, int samples, int from_redundancy,
                             std::vector<std::int16_t>& out) {
  const auto before = out.size();
  out.resize(before + static_cast<std::size_t>(samples));
  const int got = opus_decode(decoder_.get(), packet.data(), static_cast<opus_int32>(packet.size()),
                              out.data() + before, samples, from_redundancy);
  out.resize(before + static_cast<std::size_t>(std::max(got, 0)));
  return got;
}

// The last of the missing packets out of what `packet` remembers of it, those before by the
// decoder's own guess.
void OpusSoundDecoder::make_up(int missing, std::span<const std::uint8_t> packet,
                               std::vector<std::int16_t>& out) {
  if (last_samples_ == 0) return;
  const int most = std::max(1, rate_hz_ * made_up_milliseconds_max / 1000 / last_samples_);
  for (int left = std::min(missing, most); left > 1; --left) decode({}, last_samples_, 0, out);
  decode(packet, last_samples_, 1, out);
}

base::Result<base::Done> OpusSoundDecoder::push(std::uint16_t sequence,
                                                std::span<const std::uint8_t> packet,
                                                std::vector<std::int16_t>& out) {
  const int samples = packet.empty() || packet.size() > 61'440
                          ? OPUS_INVALID_PACKET
                          : opus_packet_get_nb_samples(
                                packet.data(), static_cast<opus_int32>(packet.size()), rate_hz_);
  // RFC 6716 3.4 R5: a packet holds at most 120 ms.
  if (samples <= 0 || samples > rate_hz_ * 120 / 1000)
    return base::fail(base::ErrorCode::malformed, "not an Opus packet");
  const auto steps = last_ ? static_cast<std::int16_t>(sequence - *last_) : std::int16_t{1};
  const bool begins_anew = steps < -late_max;
  if (steps <= 0 && !begins_anew) return base::Done{};
  const auto before = out.size();
  if (begins_anew)
    opus_decoder_ctl(decoder_.get(), OPUS_RESET_STATE);
  else if (steps > 1)
    make_up(steps - 1, packet, out);
  if (decode(packet, samples, 0, out) <= 0) {
    out.resize(before);
    return base::fail(base::ErrorCode::malformed, "not an Opus packet");
  }
  last_ = sequence;
  last_samples_ = samples;
  return base::Done{};
}

}  // namespace

base::Result<std::unique_ptr<stage::SoundEncoder>> make_opus_encoder() {
  int trouble = OPUS_OK;
  Encoder encoder(opus_encoder_create(stage::opus_clock_hz, 1, OPUS_APPLICATION_VOIP, &trouble));
  if (trouble != OPUS_OK) return base::fail(base::ErrorCode::unavailable, "no Opus encoder");
  return std::make_unique<OpusSoundEncoder>(std::move(encoder));
}

base::Result<std::unique_ptr<stage::SoundDecoder>> make_opus_decoder(int rate_hz) {
  constexpr std::array rates = {8'000, 12'000, 16'000, 24'000, 48'000};
  if (std::ranges::find(rates, rate_hz) == rates.end())
    return base::fail(base::ErrorCode::unsupported, "Opus at another rate");
  int trouble = OPUS_OK;
  Decoder decoder(opus_decoder_create(rate_hz, 1, &trouble));
  if (trouble != OPUS_OK) return base::fail(base::ErrorCode::unavailable, "no Opus decoder");
  return std::make_unique<OpusSoundDecoder>(std::move(decoder), rate_hz);
}

}  // namespace stagedoor::engines
