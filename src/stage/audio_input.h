// Sound as a client sends it, turned into samples. PCM is read here; codecs are engines.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/result.h"

namespace stagedoor::stage {

enum class AudioFormat { pcm_s16le, ogg_opus };

// What sound may come at (contract 3.5 of the Spatius dialect).
inline constexpr std::array pcm_rates_hz = {8000, 16000, 22050, 24000, 32000, 44100, 48000};
inline constexpr std::array opus_rates_hz = {8000, 12000, 16000, 24000, 48000};

// The sound of one utterance. Not safe for concurrent use.
class AudioInput {
 public:
  virtual ~AudioInput() = default;
  // Appends mono samples at the agreed rate. `malformed`, with a hint, for what is not in the
  // format; nothing further can be read then.
  virtual base::Result<base::Done> push(std::span<const char> bytes,
                                        std::vector<std::int16_t>& out) = 0;
  // No more bytes come: appends what was held back.
  virtual base::Result<base::Done> finish(std::vector<std::int16_t>& out) = 0;
};

// Makes the input for one utterance; `unsupported` for a format or rate that it can't read.
using AudioInputFactory =
    std::function<base::Result<std::unique_ptr<AudioInput>>(AudioFormat, int rate_hz)>;

// Raw mono s16le. A sample may be cut by a message's end; one that is cut by the utterance's end is
// `malformed`: then the sound was not 16 bit.
class PcmInput : public AudioInput {
 public:
  base::Result<base::Done> push(std::span<const char> bytes,
                                std::vector<std::int16_t>& out) override;
  base::Result<base::Done> finish(std::vector<std::int16_t>& out) override;

 private:
  std::optional<char> half_sample_;
};

}  // namespace stagedoor::stage
