// Which engine reads which audio format.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include "stage/audio_input.h"

namespace stagedoor::server {

// PCM and Ogg Opus inputs; the one place that knows which engine reads which format.
stage::AudioInputFactory audio_inputs();

}  // namespace stagedoor::server
