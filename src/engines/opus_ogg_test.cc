// SPDX-License-Identifier: Apache-2.0

#include "engines/opus_ogg.h"

#include <gtest/gtest.h>
#include <malloc.h>
#include <ogg/ogg.h>
#include <opus.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <numbers>
#include <random>
#include <string>

namespace stagedoor::engines {
namespace {

using Samples = std::vector<std::int16_t>;

// Something between a voice and a tune: harmonics of a gliding pitch under a syllable envelope.
Samples voice(int rate_hz, double seconds) {
  Samples samples(static_cast<std::size_t>(std::lround(seconds * rate_hz)));
  double phase = 0;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const double t = static_cast<double>(i) / rate_hz;
    phase += 2 * std::numbers::pi * (140 + 30 * std::sin(2 * t)) / rate_hz;
    double sum = 0;
    for (int harmonic = 1; harmonic <= 8; ++harmonic) sum += std::sin(phase * harmonic) / harmonic;
    samples[i] = static_cast<std::int16_t>(
        6000 * sum * (0.55 + 0.45 * std::sin(2 * std::numbers::pi * 3.5 * t)));
  }
  return samples;
}

// Writes Ogg pages, and whatever a test wants to be wrong with them.
class Stream {
 public:
  explicit Stream(int serial = 4711) { ogg_stream_init(&state_, serial); }
  ~Stream() { ogg_stream_clear(&state_); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  void packet(const std::string& bytes, std::int64_t granule, bool last = false) {
    ogg_packet one{};
    one.packet = reinterpret_cast<unsigned char*>(const_cast<char*>(bytes.data()));
    one.bytes = static_cast<long>(bytes.size());
    one.b_o_s = count_ == 0;
    one.e_o_s = last;
    one.granulepos = granule;
    one.packetno = count_++;
    ogg_stream_packetin(&state_, &one);
  }
  void end_page() {
    ogg_page page{};
    while (ogg_stream_flush(&state_, &page) != 0) {
      std::string bytes(reinterpret_cast<char*>(page.header),
                        static_cast<std::size_t>(page.header_len));
      bytes.append(reinterpret_cast<char*>(page.body), static_cast<std::size_t>(page.body_len));
      pages.push_back(std::move(bytes));
    }
  }
  std::string bytes() const {
    std::string all;
    for (const auto& page : pages) all += page;
    return all;
  }
  std::vector<std::string> pages;

 private:
  ogg_stream_state state_{};
  std::int64_t count_ = 0;
};

std::string head(int channels, int pre_skip, int gain_q8 = 0, int version = 1, int family = 0) {
  std::string bytes = "OpusHead";
  for (const int byte : {version, channels, pre_skip & 255, pre_skip >> 8, 0, 0, 0, 0,
                         gain_q8 & 255, (gain_q8 >> 8) & 255, family}) {
    bytes.push_back(static_cast<char>(byte));
  }
  return bytes;
}
std::string tags(std::size_t vendor_bytes = 4) {
  std::string bytes = "OpusTags";
  for (int shift = 0; shift < 32; shift += 8) {
    bytes.push_back(static_cast<char>(vendor_bytes >> shift));
  }
  return bytes + std::string(vendor_bytes, 'v') + std::string(4, '\0');
}

struct Recipe {
  int rate_hz = 16000;
  int channels = 1;
  int gain_q8 = 0;
  std::int64_t first_granule = 0;
  bool end_of_stream = true;
  int packets_per_page = 10;
};

// A whole stream of `sound` (interleaved if stereo), with the encoder's own delay as pre-skip.
void encode(const Samples& sound, const Recipe& recipe, Stream& stream) {
  int status = OPUS_OK;
  OpusEncoder* encoder =
      opus_encoder_create(recipe.rate_hz, recipe.channels, OPUS_APPLICATION_AUDIO, &status);
  ASSERT_EQ(status, OPUS_OK);
  opus_encoder_ctl(encoder, OPUS_SET_BITRATE(64000));
  opus_int32 delay = 0;
  opus_encoder_ctl(encoder, OPUS_GET_LOOKAHEAD(&delay));
  const int scale = 48000 / recipe.rate_hz;
  const auto channels = static_cast<std::size_t>(recipe.channels);
  const std::size_t frame = static_cast<std::size_t>(recipe.rate_hz / 50) * channels;
  const auto total = static_cast<std::int64_t>(sound.size() / channels + delay) * scale;

  stream.packet(head(recipe.channels, delay * scale, recipe.gain_q8), 0);
  stream.end_page();
  stream.packet(tags(), 0);
  stream.end_page();
  Samples padded = sound;
  padded.resize(sound.size() + static_cast<std::size_t>(delay) * channels);
  padded.resize((padded.size() + frame - 1) / frame * frame);
  int in_page = 0;
  for (std::size_t at = 0; at < padded.size(); at += frame) {
    std::string packet(4000, '\0');
    const int size = opus_encode(encoder, padded.data() + at, static_cast<int>(frame / channels),
                                 reinterpret_cast<unsigned char*>(packet.data()), 4000);
    ASSERT_GT(size, 0);
    packet.resize(static_cast<std::size_t>(size));
    const bool last = at + frame == padded.size();
    const auto end = static_cast<std::int64_t>((at + frame) / channels) * scale;
    stream.packet(packet, recipe.first_granule + (last ? total : end),
                  last && recipe.end_of_stream);
    if (++in_page == recipe.packets_per_page || last) {
      stream.end_page();
      in_page = 0;
    }
  }
  opus_encoder_destroy(encoder);
}
std::string encoded(const Samples& sound, const Recipe& recipe) {
  Stream stream;
  encode(sound, recipe, stream);
  return stream.bytes();
}

struct Heard {
  Samples samples;
  base::Result<base::Done> outcome;
};
Heard hear(const std::string& bytes, int rate_hz, std::size_t piece = 1 << 20) {
  auto opus = OpusOgg::create(rate_hz);
  Heard heard{{}, base::Done{}};
  for (std::size_t at = 0; at < bytes.size() && heard.outcome; at += piece) {
    heard.outcome =
        opus->push(std::span(bytes).subspan(at, std::min(piece, bytes.size() - at)), heard.samples);
  }
  if (heard.outcome) heard.outcome = opus->finish(heard.samples);
  return heard;
}
std::string hint_of(const std::string& bytes) {
  const auto heard = hear(bytes, 16000);
  if (heard.outcome) return "accepted";
  EXPECT_EQ(heard.outcome.error().code, base::ErrorCode::malformed);
  return heard.outcome.error().hint;
}

double correlation(const Samples& a, const Samples& b) {
  double ab = 0, aa = 0, bb = 0;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    ab += double{1} * a[i] * b[i];
    aa += double{1} * a[i] * a[i];
    bb += double{1} * b[i] * b[i];
  }
  return ab / std::sqrt(aa * bb);
}
double loudness(const Samples& samples) {
  double sum = 0;
  for (const auto s : samples) sum += double{1} * s * s;
  return std::sqrt(sum / static_cast<double>(samples.size()));
}

// The checksum of a page made right again after a test has changed the page.
std::string mended(std::string bytes) {
  ogg_page page{};
  page.header = reinterpret_cast<unsigned char*>(bytes.data());
  page.header_len = 27 + page.header[26];
  page.body = page.header + page.header_len;
  page.body_len = static_cast<long>(bytes.size()) - page.header_len;
  ogg_page_checksum_set(&page);
  return bytes;
}

constexpr auto not_opus = "the audio is not an Ogg Opus stream";
constexpr auto damaged = "the Ogg Opus stream is damaged or parts of it are missing";
constexpr auto one_stream =
    "the audio must be one Ogg Opus stream, neither chained nor multiplexed";

TEST(OpusOgg, EverySampleOfTheSourceComesBackAtItsPlaceAtEachRate) {
  for (const int rate_hz : stage::opus_rates_hz) {
    const auto source = voice(rate_hz, 1.237);
    const auto heard = hear(encoded(source, {.rate_hz = rate_hz}), rate_hz);
    ASSERT_TRUE(heard.outcome) << rate_hz << ": " << heard.outcome.error().detail;
    EXPECT_EQ(heard.samples.size(), source.size()) << rate_hz;
    EXPECT_GT(correlation(heard.samples, source), 0.9) << rate_hz;
  }
}

TEST(OpusOgg, TheAskedRateNeedNotBeTheRateOfTheEncoder) {
  const auto heard = hear(encoded(voice(48000, 1.0), {.rate_hz = 48000}), 16000);
  ASSERT_TRUE(heard.outcome);
  EXPECT_EQ(heard.samples.size(), 16000u);
  EXPECT_GT(correlation(heard.samples, voice(16000, 1.0)), 0.9);
}

TEST(OpusOgg, WhatIsHeardDoesNotDependOnHowTheStreamIsCut) {
  const auto bytes = encoded(voice(24000, 0.8), {.rate_hz = 24000, .packets_per_page = 3});
  const auto whole = hear(bytes, 24000);
  ASSERT_TRUE(whole.outcome);
  for (const std::size_t piece : {1u, 2u, 7u, 27u, 500u, 4096u}) {
    const auto cut = hear(bytes, 24000, piece);
    EXPECT_TRUE(cut.outcome);
    EXPECT_EQ(cut.samples, whole.samples) << "pieces of " << piece;
  }
}

TEST(OpusOgg, TheStreamMayBeginAtAnyGranulePosition) {
  const auto source = voice(16000, 0.5);
  const auto heard = hear(encoded(source, {.first_granule = 48000 * 3600}), 16000);
  ASSERT_TRUE(heard.outcome);
  EXPECT_EQ(heard.samples.size(), source.size());
}

TEST(OpusOgg, AStreamOfOnePageIsTrimmedAtItsEnd) {
  const auto source = voice(16000, 0.025);
  const auto heard = hear(encoded(source, {}), 16000);
  ASSERT_TRUE(heard.outcome);
  EXPECT_EQ(heard.samples.size(), source.size());
}

TEST(OpusOgg, WithoutAnEndOfStreamFlagNothingIsTrimmed) {
  const auto source = voice(16000, 0.505);
  const auto heard = hear(encoded(source, {.end_of_stream = false}), 16000);
  ASSERT_TRUE(heard.outcome);
  EXPECT_GT(heard.samples.size(), source.size());
  EXPECT_LT(heard.samples.size(), source.size() + 16000 / 50);
}

TEST(OpusOgg, TheOutputGainIsObeyed) {
  const auto source = voice(16000, 0.5);
  const auto plain = hear(encoded(source, {}), 16000);
  const auto quieter = hear(encoded(source, {.gain_q8 = -1541}), 16000);  // 6.02 dB down
  ASSERT_TRUE(plain.outcome && quieter.outcome);
  EXPECT_NEAR(loudness(quieter.samples) / loudness(plain.samples), 0.5, 0.01);
}

TEST(OpusOgg, StereoIsMixedDown) {
  const auto source = voice(48000, 0.5);
  Samples pair;
  for (const auto sample : source) {
    pair.push_back(sample);
    pair.push_back(0);
  }
  const auto heard = hear(encoded(pair, {.rate_hz = 48000, .channels = 2}), 48000);
  ASSERT_TRUE(heard.outcome);
  EXPECT_EQ(heard.samples.size(), source.size());
  EXPECT_GT(correlation(heard.samples, source), 0.9);
  EXPECT_NEAR(loudness(heard.samples) / loudness(source), 0.5, 0.05);
}

TEST(OpusOgg, NoBytesAreAStreamOfNoSound) {
  const auto heard = hear("", 16000);
  EXPECT_TRUE(heard.outcome);
  EXPECT_TRUE(heard.samples.empty());
}

TEST(OpusOgg, LongCommentsArePassedOver) {
  Stream good;
  encode(voice(16000, 0.2), {}, good);
  Stream chatty;
  chatty.packet(head(1, 312), 0);
  chatty.end_page();
  chatty.packet(tags(1'000'000), 0);
  chatty.end_page();
  chatty.packet(std::string("\x08\x00", 2), 960, true);
  chatty.end_page();
  const auto heard = hear(chatty.bytes(), 48000);
  ASSERT_TRUE(heard.outcome) << heard.outcome.error().detail;
  EXPECT_GT(chatty.pages.size(), 15u);
  EXPECT_EQ(heard.samples.size(), 960u - 312u);
}

TEST(OpusOgg, AnUnknownRateIsUnsupported) {
  for (const int rate_hz : {0, -1, 22050, 44100, 96000}) {
    const auto opus = OpusOgg::create(rate_hz);
    ASSERT_FALSE(opus) << rate_hz;
    EXPECT_EQ(opus.error().code, base::ErrorCode::unsupported);
  }
}

TEST(OpusOgg, BytesThatAreNoOggAreRefused) {
  EXPECT_EQ(hint_of("RIFF\x24\x08\x00\x00WAVEfmt and then some more bytes than a header"),
            not_opus);
  EXPECT_EQ(hint_of(std::string(5000, '\0')), not_opus);
  EXPECT_EQ(hint_of("Og"), not_opus);
  Stream vorbis;
  vorbis.packet("\x01vorbis, a stream of another kind", 0);
  vorbis.end_page();
  EXPECT_EQ(hint_of(vorbis.bytes()), not_opus);
}

TEST(OpusOgg, AHeadThatPromisesWhatWeDoNotTakeIsRefused) {
  const auto with = [](const std::string& opus_head) {
    Stream stream;
    stream.packet(opus_head, 0);
    stream.end_page();
    return hint_of(stream.bytes());
  };
  EXPECT_EQ(with(head(3, 0)),
            "the Ogg Opus stream must be mono or stereo (channel mapping family 0)");
  EXPECT_EQ(with(head(2, 0, 0, 1, 1)), with(head(0, 0)));
  EXPECT_EQ(with(head(1, 0, 0, 16)), "the Ogg Opus stream has an unknown version");
  EXPECT_EQ(with(head(1, 0).substr(0, 18)), damaged);
}

TEST(OpusOgg, AChangedByteALostPageAndATornEndAreRefused) {
  Stream stream;
  encode(voice(16000, 1.0), {}, stream);
  auto bytes = stream.bytes();
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  EXPECT_EQ(hint_of(bytes), damaged);

  auto pages = stream.pages;
  ASSERT_GT(pages.size(), 4u);
  EXPECT_EQ(hint_of(pages[0] + pages[1] + pages[2] + pages[4]), damaged);
  EXPECT_EQ(hint_of(pages[0] + pages[2]), damaged);
  EXPECT_EQ(hint_of(pages[0]), damaged);
  EXPECT_EQ(hint_of(stream.bytes().substr(0, stream.bytes().size() - 1)), damaged);
}

TEST(OpusOgg, ChainedAndMultiplexedStreamsAreRefused) {
  Stream first, second(4712);
  encode(voice(16000, 0.3), {}, first);
  encode(voice(16000, 0.3), {}, second);
  EXPECT_EQ(hint_of(first.bytes() + second.bytes()), one_stream);
  EXPECT_EQ(hint_of(first.pages[0] + second.pages[0]), one_stream);
  EXPECT_EQ(hint_of(first.pages[0] + first.pages[1] + second.pages[2]), one_stream);
  EXPECT_EQ(hint_of(first.bytes() + "and forty more bytes behind the last page"), damaged);
}

TEST(OpusOgg, ThingsThatAreNotOpusPacketsAreRefused) {
  const auto with = [](const std::string& packet) {
    Stream stream;
    stream.packet(head(1, 0), 0);
    stream.end_page();
    stream.packet(tags(), 0);
    stream.end_page();
    stream.packet(packet, 960, true);
    stream.end_page();
    return hint_of(stream.bytes());
  };
  EXPECT_EQ(with(std::string("\x08\x00", 2)), "accepted");
  EXPECT_EQ(with(""), damaged);
  EXPECT_EQ(with("\x03"), damaged);      // Code 3 without its frame count.
  EXPECT_EQ(with("\x1B\x3F"), damaged);  // 63 frames: more than 120 ms.
  EXPECT_EQ(with(std::string(100'000, '\x08')), "a packet of the Ogg Opus stream does not end");
}

// One packet or comment that goes on over as many full pages as are asked for.
std::string endless(bool in_comments, int pages_wanted) {
  Stream stream;
  stream.packet(head(1, 0), 0);
  stream.end_page();
  if (!in_comments) {
    stream.packet(tags(), 0);
    stream.end_page();
  }
  stream.packet((in_comments ? "OpusTags" : "") +
                    std::string(static_cast<std::size_t>(pages_wanted) * 255 * 255, '\x08'),
                960);
  stream.end_page();
  stream.pages.pop_back();
  return stream.bytes();
}

TEST(OpusOgg, APacketThatDoesNotEndIsRefusedAndMemoryStaysBounded) {
  const auto packet = endless(false, 40);
  const auto comments = endless(true, 200);
  for (const auto* bytes : {&packet, &comments}) {
    auto opus = OpusOgg::create(48000);
    Samples samples;
    const auto before = mallinfo2();
    std::size_t most = 0;
    base::Result<base::Done> outcome = base::Done{};
    for (std::size_t at = 0; at < bytes->size() && outcome; at += 65536) {
      outcome = opus->push(
          std::span(*bytes).subspan(at, std::min<std::size_t>(65536, bytes->size() - at)), samples);
      const auto now = mallinfo2();
      const auto used = now.uordblks + now.hblkhd, used_before = before.uordblks + before.hblkhd;
      most = std::max(most, used > used_before ? used - used_before : 0);
    }
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().code, base::ErrorCode::malformed);
    EXPECT_LT(most, 256u * 1024);
  }
}

TEST(OpusOgg, ARefusalIsFinalAndLeavesTheSoundBeforeIt) {
  Stream stream;
  encode(voice(16000, 1.0), {}, stream);
  auto opus = OpusOgg::create(16000);
  Samples samples;
  ASSERT_TRUE(opus->push(stream.pages[0] + stream.pages[1] + stream.pages[2], samples));
  const auto before = samples.size();
  EXPECT_GT(before, 2000u);
  EXPECT_FALSE(opus->push(stream.pages[4], samples));
  EXPECT_FALSE(opus->push(stream.pages[3], samples));
  EXPECT_FALSE(opus->finish(samples));
  EXPECT_EQ(samples.size(), before);
}

TEST(OpusOgg, AbsurdGranulePositionsNeitherCrashNorAddSound) {
  for (const auto granule : {std::int64_t{-2}, std::numeric_limits<std::int64_t>::min(),
                             std::numeric_limits<std::int64_t>::max(), std::int64_t{1}}) {
    Stream stream;
    encode(voice(16000, 0.4), {}, stream);
    auto& last = stream.pages.back();
    std::memcpy(last.data() + 6, &granule, sizeof granule);
    last = mended(last);
    const auto heard = hear(stream.bytes(), 16000);
    ASSERT_TRUE(heard.outcome) << granule;
    EXPECT_LE(heard.samples.size(), 16000u * 0.5) << granule;
  }
}

}  // namespace
}  // namespace stagedoor::engines
