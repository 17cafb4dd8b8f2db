// A picture of an utterance: the sound above, how the mouth opens and closes to it below.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <string>

#include "base/result.h"
#include "server/speak_motion.h"
#include "server/speak_sound.h"

namespace stagedoor::server {

// Draws a PNG of 1600 x 860 pixels at `path`. The time axis is common to both panels; motion that
// names no jawOpen draws no curves. Refuses with `unavailable`, in words for the user, when the
// file cannot be written.
base::Result<base::Done> draw_motion(const std::string& path, const std::string& title,
                                     const Sound& sound, const SpokenMotion& motion);

// How far the lips are closed or pressed, 0..1 for each frame: the strongest of the shapes that
// bring them together.
std::vector<float> lip_closure(const SpokenMotion& motion);

}  // namespace stagedoor::server
