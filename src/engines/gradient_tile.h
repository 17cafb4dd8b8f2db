// A gradient worked out for a part of a picture, to be carried along with what it fills.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cairo.h>
#include <cstdint>
#include <memory>
#include <vector>

#include "stage/face_sheet.h"

namespace stagedoor::engines {

struct SurfaceDestroyer {
  void operator()(cairo_surface_t* surface) const { cairo_surface_destroy(surface); }
};
using Surface = std::unique_ptr<cairo_surface_t, SurfaceDestroyer>;

// From sheet units to pixels.
struct Placement {
  double scale = 1, left = 0, top = 0;
};

// Not safe for concurrent use.
class GradientTile {
 public:
  // A surface that holds the gradient, as it stands with nothing moved, at least for the pixels
  // from `left`, `top` to `right`, `bottom` (both without); its own corner is in `x()`, `y()`.
  // It is worked out anew only when it does not reach that far or the opacity is another.
  // Null: no memory.
  cairo_surface_t* at_rest(const stage::SheetGradient& gradient, const Placement& placement,
                           double opacity, int left, int top, int right, int bottom);
  int x() const { return left_; }
  int y() const { return top_; }

 private:
  void work_out(const stage::SheetGradient& gradient, const Placement& placement);

  Surface surface_;
  int left_ = 0, top_ = 0, right_ = 0, bottom_ = 0;
  int opacity_of_255_ = -1;
};

}  // namespace stagedoor::engines
