// SPDX-License-Identifier: Apache-2.0

#include "engines/wav_stream.h"

#include <algorithm>

namespace stagedoor::engines {
namespace {

constexpr std::size_t head_bytes_max = 4096;
constexpr std::uint16_t format_pcm = 1, format_extensible = 0xfffe;
constexpr int channels_max = 8;

std::uint32_t number(std::string_view bytes, std::size_t at, std::size_t size) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < size; ++i)
    value |= static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[at + i])) << (8 * i);
  return value;
}

void append_number(std::string& out, std::uint32_t value, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) out += static_cast<char>(value >> (8 * i) & 0xff);
}

std::unexpected<base::Error> malformed(std::string detail) {
  return base::fail(base::ErrorCode::malformed, "WAV: " + std::move(detail));
}

}  // namespace

base::Result<base::Done> WavStream::push(std::string_view bytes, std::vector<std::int16_t>& out) {
  if (!is_in_data_) {
    const auto skipped = std::min(skip_, bytes.size());
    skip_ -= skipped;
    bytes.remove_prefix(skipped);
  }
  held_ += bytes;
  if (!is_in_data_) {
    if (const auto read = read_head(); !read) return base::fail(read.error());
  }
  if (is_in_data_) read_samples(out);
  return base::Done{};
}

// Reads chunks until the data begin or more bytes are needed.
base::Result<base::Done> WavStream::read_head() {
  if (!has_begun_) {
    if (held_.size() < 12) return base::Done{};
    if (!held_.starts_with("RIFF") || held_.compare(8, 4, "WAVE") != 0)
      return malformed("not RIFF");
    held_.erase(0, 12);
    has_begun_ = true;
  }
  while (held_.size() >= 8) {
    const auto name = held_.substr(0, 4);
    const std::size_t size = number(held_, 4, 4);
    if (name == "data") {
      if (rate_hz_ == 0) return malformed("data before its format");
      if (size != 0 && size < 0x7fffff00) data_left_ = size;
      held_.erase(0, 8);
      is_in_data_ = true;
      return base::Done{};
    }
    if (name == "fmt ") {
      if (size > head_bytes_max) return malformed("format");
      if (held_.size() < 8 + size + size % 2) return base::Done{};
      if (const auto read = read_format(std::string_view(held_).substr(8, size)); !read)
        return base::fail(read.error());
      held_.erase(0, 8 + size + size % 2);
      continue;
    }
    if (size > (1u << 20)) return malformed("chunk");
    const auto whole = 8 + size + size % 2;
    const auto here = std::min(whole, held_.size());
    held_.erase(0, here);
    skip_ = whole - here;
  }
  return base::Done{};
}

base::Result<base::Done> WavStream::read_format(std::string_view format) {
  if (format.size() < 16) return malformed("format");
  const auto tag = number(format, 0, 2);
  channels_ = static_cast<int>(number(format, 2, 2));
  const auto rate = number(format, 4, 4);
  if ((tag != format_pcm && tag != format_extensible) || number(format, 14, 2) != 16)
    return malformed("not 16-bit samples");
  if (channels_ < 1 || channels_ > channels_max) return malformed("channels");
  if (rate < 8000 || rate > 48000) return malformed("rate");
  rate_hz_ = static_cast<int>(rate);
  return base::Done{};
}

void WavStream::read_samples(std::vector<std::int16_t>& out) {
  const auto frame = static_cast<std::size_t>(channels_) * 2;
  auto usable = held_.size();
  if (data_left_) usable = std::min<std::uint64_t>(usable, *data_left_);
  const auto frames = usable / frame;
  for (std::size_t i = 0; i < frames; ++i) {
    int sum = 0;
    for (int c = 0; c < channels_; ++c)
      sum +=
          static_cast<std::int16_t>(number(held_, i * frame + static_cast<std::size_t>(c) * 2, 2));
    out.push_back(static_cast<std::int16_t>(sum / channels_));
  }
  held_.erase(0, frames * frame);
  if (!data_left_) return;
  *data_left_ -= frames * frame;
  if (*data_left_ < frame) held_.clear();  // What follows the data is no sound.
}

std::string wav_of(const std::vector<std::int16_t>& samples, int rate_hz) {
  const auto bytes = static_cast<std::uint32_t>(samples.size() * 2);
  std::string out = "RIFF";
  append_number(out, 36 + bytes, 4);
  out += "WAVEfmt ";
  append_number(out, 16, 4);
  append_number(out, format_pcm, 2);
  append_number(out, 1, 2);
  append_number(out, static_cast<std::uint32_t>(rate_hz), 4);
  append_number(out, static_cast<std::uint32_t>(rate_hz) * 2, 4);
  append_number(out, 2, 2);
  append_number(out, 16, 2);
  out += "data";
  append_number(out, bytes, 4);
  for (const auto sample : samples) append_number(out, static_cast<std::uint16_t>(sample), 2);
  return out;
}

}  // namespace stagedoor::engines
