// The motion that a server has sent for one utterance: named values, 25 frames a second.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace stagedoor::server {

struct SpokenMotion {
  static constexpr int frames_per_second = 25;

  std::vector<std::string> names;          // of the values, in order, as the server named them
  std::vector<std::vector<float>> frames;  // each as long as `names`

  // One value over the whole utterance; empty if the server named no such value.
  std::vector<float> curve(std::string_view name) const;
};

// {"fps":25,"frames":[...]}, a line for each frame: its time in seconds, the blendshapes that are
// not zero, head and eyes in radians. The same motion always gives the same bytes.
std::string motion_json(const SpokenMotion& motion);

}  // namespace stagedoor::server
