// Any bytes as Opus packets with any sequence numbers: no crash, and never more than 320 ms of
// sound out of one packet.
//
// SPDX-License-Identifier: Apache-2.0

#include <cstdlib>

#include "engines/opus_coder.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace stagedoor;
  auto decoder = *engines::make_opus_decoder(16'000);
  std::vector<std::int16_t> out;
  while (size >= 3) {
    const auto sequence = static_cast<std::uint16_t>(data[0] << 8 | data[1]);
    const std::size_t length = std::min<std::size_t>(data[2], size - 3);
    out.clear();
    const auto done = decoder->push(sequence, {data + 3, length}, out);
    if (out.size() > 16 * 320 || (!done && !out.empty())) std::abort();
    data += 3 + length;
    size -= 3 + length;
  }
  return 0;
}
