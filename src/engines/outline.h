// Outlines as chains of straight lines: curves cut into lines, and the outline of a stroke.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <vector>

#include "stage/face_pose.h"

namespace stagedoor::engines {

// A path in pixels: the curve parts after its beginning.
struct Curves {
  stage::SheetPoint begin;
  std::vector<stage::CurvePart> parts;
};

using Chain = std::vector<stage::SheetPoint>;

// The path as a chain that is nowhere more than a sixth of a pixel beside it. The same path gives
// the same chain, wherever it is looked at from.
void flatten(const Curves& curves, Chain& out);

// The closed chains that bound what a pen of this half width covers along a chain: round ends,
// round corners. Two for a closed chain, its outer and its inner side.
class StrokeOutline {
 public:
  void trace(const Chain& chain, bool is_closed, double half_width);
  const std::vector<Chain>& chains() const { return chains_; }

 private:
  struct Side {
    int of_normal;  // 1 or -1
    bool is_closed;
  };
  void follow(const Side& side, Chain& out) const;
  void arc(const stage::SheetPoint& around, const stage::SheetPoint& from,
           const stage::SheetPoint& to, Chain& out) const;

  Chain points_, normals_;  // normals: of each line, of length 1
  double half_width_ = 0;
  std::vector<Chain> chains_;
};

}  // namespace stagedoor::engines
