// How large a live picture may be, in pixels.
//
// Rule picture-sizes: a picture has one of six sizes, and 720x480 where none is asked for. Each
// size costs its own share of a core, which is known for these; any other would be a promise that
// nobody has measured, and its encoder's memory would be the caller's choice.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <array>

#include "base/result.h"

namespace stagedoor::rules {

struct PictureSize {
  int width = 720, height = 480;
  bool operator==(const PictureSize&) const = default;
};

inline constexpr std::array picture_sizes = {
    PictureSize{720, 480}, PictureSize{480, 720},  PictureSize{480, 480},
    PictureSize{576, 384}, PictureSize{1152, 768}, PictureSize{768, 1152},
};

// `unsupported`, with a hint that lists the sizes, for any other.
base::Result<PictureSize> picture_size(int width, int height);

}  // namespace stagedoor::rules
