// A part of a picture.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <algorithm>

namespace stagedoor::engines {

inline constexpr int block_pixels = 16;

// In pixels; blocks of 16 by 16 from the picture's left top corner.
struct PixelBox {
  int left = 0, top = 0, right = 0, bottom = 0;  // without right and bottom
  bool is_empty() const { return left >= right || top >= bottom; }
  bool operator==(const PixelBox&) const = default;
};

inline PixelBox common(const PixelBox& a, const PixelBox& b) {
  return {std::max(a.left, b.left), std::max(a.top, b.top), std::min(a.right, b.right),
          std::min(a.bottom, b.bottom)};
}
inline PixelBox around(const PixelBox& a, const PixelBox& b) {
  if (a.is_empty()) return b;
  if (b.is_empty()) return a;
  return {std::min(a.left, b.left), std::min(a.top, b.top), std::max(a.right, b.right),
          std::max(a.bottom, b.bottom)};
}
inline long area(const PixelBox& box) {
  return box.is_empty() ? 0 : static_cast<long>(box.right - box.left) * (box.bottom - box.top);
}

}  // namespace stagedoor::engines
