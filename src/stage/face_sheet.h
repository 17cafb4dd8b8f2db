// A face sheet: a drawing that can move. docs/reference/face-sheet.md is the model and the format;
// here it stands with its names looked up, so that nothing is searched for while a face is drawn.
//
// Rule face-sheet-strict: a sheet that names what is not there, or holds what the format does not
// know, is refused whole, and told where. What a renderer silently leaves out is found by whoever
// looks at the picture, if at all.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "stage/face.h"

namespace stagedoor::stage {

// What a face says to a drawing: the shapes in their order, then angles in radians, then breath.
enum FaceInput : std::uint8_t {
  head_pitch_input = shape_count,
  head_yaw_input,
  head_roll_input,
  eye_pitch_input,
  eye_yaw_input,
  breath_input,  // 0..1, the renderer's own
};
inline constexpr std::size_t face_input_count = shape_count + 6;
// Its name in a sheet; `input` is a Shape or a FaceInput.
std::string_view face_input_name(std::size_t input);

struct FaceInputs {
  std::array<float, face_input_count> values{};
  // Which of them the face has at all; the others are 0.
  std::bitset<face_input_count> given;

  void set(std::size_t input, float value) {
    values[input] = value;
    given.set(input);
  }
};
FaceInputs inputs_of(const Face& face, float breath);

// Sheet units, x to the right, y down.
struct SheetPoint {
  double x = 0, y = 0;
  bool operator==(const SheetPoint&) const = default;
};

struct SheetColour {
  std::uint8_t red = 0, green = 0, blue = 0, alpha = 255;
  bool operator==(const SheetColour&) const = default;
};

struct SheetGradient {
  enum class Kind { linear, radial };
  struct Stop {
    double place;  // 0..1
    SheetColour colour;
  };
  Kind kind = Kind::linear;
  SheetPoint anchor;            // where it begins, or its centre
  SheetPoint far_end;           // linear: where it ends
  double across = 0, down = 0;  // radial: its radii
  std::vector<Stop> stops;
};

// How far something goes when an input is 1.
struct SheetOffset {
  std::uint8_t input;
  SheetPoint by;
};
struct SheetFade {
  std::uint8_t input;
  double amount;
};

struct SheetPathPoint {
  std::optional<std::uint16_t> named;  // index in FaceSheet::points
  SheetPoint fixed;                    // where it has no name
  bool is_corner = false;
};
struct SheetPath {
  std::vector<SheetPathPoint> points;
  bool is_closed = true;
};

struct SheetStroke {
  SheetColour colour;
  double width;
};
struct SheetShape {
  SheetPath path;
  std::optional<SheetColour> plain_fill;
  std::optional<std::uint16_t> gradient_fill;  // index in FaceSheet::gradients
  std::optional<SheetStroke> stroke;
  double opacity = 1;
  std::vector<SheetFade> fade;
  std::vector<SheetOffset> move;
};

struct SheetLayer {
  std::string name;
  std::vector<SheetShape> shapes;
  std::optional<std::uint16_t> clip;  // index in FaceSheet::clips
  double follow = 0, depth = 0, bulge = 0;
  std::vector<SheetOffset> move;
};

struct SheetNamedPoint {
  SheetPoint at_rest;
  std::vector<SheetOffset> moves;
};

struct FaceSheet {
  std::string name;
  double width = 0, height = 0;
  SheetPoint focus;
  SheetPoint head_centre, neck;
  double head_radius = 0;
  std::vector<SheetGradient> gradients;
  std::vector<SheetNamedPoint> points;
  std::vector<std::pair<std::uint16_t, std::uint16_t>> meet;  // upper, lower
  // An input, and the inputs that count as 0 where a face has it.
  std::vector<std::pair<std::uint8_t, std::vector<std::uint8_t>>> instead;
  std::vector<SheetPath> clips;
  std::vector<SheetLayer> layers;
};

// What a sheet may hold, so that drawing it stays bounded.
inline constexpr std::size_t sheet_bytes_max = 1 << 20;
inline constexpr std::size_t sheet_points_max = 1'024;
inline constexpr std::size_t sheet_gradients_max = 256;
inline constexpr std::size_t sheet_stops_max = 16;
inline constexpr std::size_t sheet_clips_max = 64;
inline constexpr std::size_t sheet_layers_max = 128;
inline constexpr std::size_t sheet_shapes_max = 1'024;  // in all layers
inline constexpr std::size_t sheet_path_points_max = 128;
inline constexpr std::size_t sheet_offsets_max = 64;  // of one input list
inline constexpr double sheet_number_max = 10'000;

// `malformed`, with a hint that says where and what: "layers[3].shapes[0].fill: there is no paint
// \"skn\"".
base::Result<FaceSheet> read_face_sheet(std::string_view json);

}  // namespace stagedoor::stage
