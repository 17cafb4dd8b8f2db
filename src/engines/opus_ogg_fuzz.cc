// Any bytes as an Ogg Opus stream: no crash, output bounded by the pages given, and the same
// outcome however the stream is cut. Page checksums are mended first for half of the inputs, so
// that the fuzzer gets behind them.
//
// SPDX-License-Identifier: Apache-2.0

#include <ogg/ogg.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string>

#include "engines/opus_ogg.h"

namespace {

using stagedoor::engines::OpusOgg;

struct Heard {
  std::vector<std::int16_t> samples;
  bool accepted = true;
  auto operator<=>(const Heard&) const = default;
};

Heard hear(const std::string& bytes, int rate_hz, std::size_t piece) {
  auto opus = OpusOgg::create(rate_hz);
  if (!opus) std::abort();
  Heard heard;
  for (std::size_t at = 0; at < bytes.size() && heard.accepted; at += piece) {
    const auto size = std::min(piece, bytes.size() - at);
    heard.accepted = opus->push(std::span(bytes).subspan(at, size), heard.samples).has_value();
  }
  if (heard.accepted) heard.accepted = opus->finish(heard.samples).has_value();
  return heard;
}

void mend_checksums(std::string& bytes) {
  for (std::size_t at = 0; at + 27 <= bytes.size();) {
    if (std::memcmp(bytes.data() + at, "OggS", 4) != 0) {
      ++at;
      continue;
    }
    ogg_page page{};
    page.header = reinterpret_cast<unsigned char*>(bytes.data() + at);
    page.header_len = 27 + page.header[26];
    if (at + static_cast<std::size_t>(page.header_len) > bytes.size()) return;
    page.body = page.header + page.header_len;
    for (long i = 27; i < page.header_len; ++i) page.body_len += page.header[i];
    const auto whole = static_cast<std::size_t>(page.header_len + page.body_len);
    if (at + whole > bytes.size()) return;
    ogg_page_checksum_set(&page);
    at += whole;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2 || size > 20'000) return 0;
  const int rate_hz = stagedoor::stage::opus_rates_hz[data[0] % 5];
  const std::size_t piece = 1 + data[1];
  std::string bytes(reinterpret_cast<const char*>(data + 2), size - 2);
  if ((data[0] & 0x80) != 0) mend_checksums(bytes);
  const auto whole = hear(bytes, rate_hz, 1 << 20);
  if (whole != hear(bytes, rate_hz, piece)) std::abort();
  // A page has at least 27 bytes and at most 255 packets of 120 ms.
  const auto pages_max = bytes.size() / 27 + 1;
  if (whole.samples.size() > pages_max * 255 * static_cast<std::size_t>(rate_hz) * 12 / 100) {
    std::abort();
  }
  return 0;
}
