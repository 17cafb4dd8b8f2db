#include "stage/audio_input.h"

namespace stagedoor::stage {
namespace {

std::int16_t sample(char low, char high) {
  return static_cast<std::int16_t>(static_cast<unsigned char>(low) |
                                   static_cast<unsigned char>(high) << 8);
}

}  // namespace

base::Result<base::Done> PcmInput::push(std::span<const char> bytes,
                                        std::vector<std::int16_t>& out) {
  out.reserve(out.size() + bytes.size() / 2 + 1);
  if (half_sample_ && !bytes.empty()) {
    out.push_back(sample(*half_sample_, bytes.front()));
    half_sample_.reset();
    bytes = bytes.subspan(1);
  }
  std::size_t at = 0;
  for (; at + 2 <= bytes.size(); at += 2) out.push_back(sample(bytes[at], bytes[at + 1]));
  if (at < bytes.size()) half_sample_ = bytes[at];
  return base::Done{};
}

base::Result<base::Done> PcmInput::finish(std::vector<std::int16_t>&) {
  if (!half_sample_) return base::Done{};
  half_sample_.reset();
  return base::fail(base::ErrorCode::malformed, "PCM with half a sample at its end",
                    "The PCM has an odd number of bytes; it must be 16 bit little endian.");
}

}  // namespace stagedoor::stage
