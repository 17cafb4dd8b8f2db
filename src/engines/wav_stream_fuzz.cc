// Any bytes as a WAV stream: no crash, no more samples than bytes, and the same outcome however the
// stream is cut.
//
// SPDX-License-Identifier: Apache-2.0

#include <algorithm>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "engines/wav_stream.h"

namespace {

struct Heard {
  std::vector<std::int16_t> samples;
  bool is_accepted = true;
  bool operator==(const Heard&) const = default;
};

Heard hear(std::string_view bytes, std::size_t piece) {
  stagedoor::engines::WavStream wav;
  Heard heard;
  for (std::size_t at = 0; at < bytes.size() && heard.is_accepted; at += piece)
    heard.is_accepted = wav.push(bytes.substr(at, piece), heard.samples).has_value();
  if (!heard.is_accepted) heard.samples.clear();
  return heard;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto whole = hear(bytes, std::max<std::size_t>(size, 1));
  if (whole.samples.size() * 2 > size || whole != hear(bytes, 1) || whole != hear(bytes, 7))
    std::abort();
  return 0;
}
