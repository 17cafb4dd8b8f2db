// Sound out of a WAV stream (RIFF, WAVE_FORMAT_PCM or extensible, 16 bit) as its bytes arrive.
//
// Programs that write WAV to a pipe don't know its length: a length of 0 or beyond what comes is
// taken for "until the end". Channels are mixed to one. Not safe for concurrent use.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace stagedoor::engines {

class WavStream {
 public:
  // Appends mono samples. `malformed` for what is no such stream; nothing more can be read then.
  base::Result<base::Done> push(std::string_view bytes, std::vector<std::int16_t>& out);
  // 0 until the format is known; then 8000..48000.
  int rate_hz() const { return rate_hz_; }

 private:
  base::Result<base::Done> read_head();
  base::Result<base::Done> read_format(std::string_view format);
  void read_samples(std::vector<std::int16_t>& out);

  std::string held_;  // What is not a whole chunk or frame yet.
  bool has_begun_ = false, is_in_data_ = false;
  std::size_t skip_ = 0;                    // Bytes of a chunk that nobody needs.
  std::optional<std::uint64_t> data_left_;  // nullopt: until the end
  int rate_hz_ = 0, channels_ = 0;
};

// A WAV file of mono samples.
std::string wav_of(const std::vector<std::int16_t>& samples, int rate_hz);

}  // namespace stagedoor::engines
