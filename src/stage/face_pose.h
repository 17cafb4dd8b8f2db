// Where everything of a face sheet is for one face: the model of docs/reference/face-sheet.md,
// "From a face to points" and "Layers", as numbers.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <vector>

#include "stage/face_sheet.h"

namespace stagedoor::stage {

// In the order of the sheet's layers and their shapes; clips before the shapes of their layer.
struct FacePose {
  struct Path {
    std::size_t first = 0, count = 0;  // in `points`
    bool operator==(const Path&) const = default;
  };
  struct Shape {
    Path path;
    double opacity = 0;  // 0..1; 0: not to be seen
    SheetPoint travel;   // how far a gradient goes with it
  };
  struct Layer {
    Path clip;              // empty where the layer has none
    std::size_t first = 0;  // its first shape, in `shapes`
  };
  std::vector<SheetPoint> named;  // the sheet's points, before layers turn
  std::vector<SheetPoint> points;
  std::vector<Shape> shapes;
  std::vector<Layer> layers;
};

// Writes the pose into `pose`, whose memory is used again.
void pose_face(const FaceSheet& sheet, const FaceInputs& inputs, FacePose& pose);

// One cubic curve: from where the one before ended to `end`.
struct CurvePart {
  SheetPoint first_handle, second_handle, end;
};
// The curve from point `index` of `path`, placed at `points`, to the next one.
CurvePart curve_part(const SheetPath& path, const SheetPoint* points, std::size_t index);
// How many there are.
std::size_t curve_part_count(const SheetPath& path);

}  // namespace stagedoor::stage
