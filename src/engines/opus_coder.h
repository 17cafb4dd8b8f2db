// Opus packets by libopus, as RTP carries them: 48 kHz mono speech at 32 kbit/s in packets of 20
// ms.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include "stage/sound_coder.h"

namespace stagedoor::engines {

// As stage::SoundEncoderFactory and stage::SoundDecoderFactory.
base::Result<std::unique_ptr<stage::SoundEncoder>> make_opus_encoder();
base::Result<std::unique_ptr<stage::SoundDecoder>> make_opus_decoder(int rate_hz);

}  // namespace stagedoor::engines
