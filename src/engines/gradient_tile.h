// A gradient worked out for a part of a picture, to be carried along with what it fills.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <vector>

#include "engines/pixel_box.h"
#include "stage/face_sheet.h"

namespace stagedoor::engines {

// From sheet units to pixels.
struct Placement {
  double scale = 1, left = 0, top = 0;
};

// Not safe for concurrent use.
class GradientTile {
 public:
  // Holds the gradient, as it stands with nothing moved, at least for the pixels of the box. It is
  // worked out anew only when it does not reach that far or the opacity is another.
  void hold(const stage::SheetGradient& gradient, const Placement& placement, double opacity,
            const PixelBox& box);
  bool is_opaque() const { return is_opaque_; }
  // The pixel there, which it holds, and those right of it: 32 bits, multiplied by their alpha.
  const std::uint32_t* at(int x, int y) const {
    return &pixels_[static_cast<std::size_t>(y - box_.top) *
                        static_cast<std::size_t>(box_.right - box_.left) +
                    static_cast<std::size_t>(x - box_.left)];
  }

 private:
  void work_out(const stage::SheetGradient& gradient, const Placement& placement);

  std::vector<std::uint32_t> pixels_;
  PixelBox box_;
  bool is_opaque_ = false;
  int opacity_of_255_ = -1;
};

}  // namespace stagedoor::engines
