// SPDX-License-Identifier: Apache-2.0

#include "stage/face_pose.h"

#include <algorithm>
#include <cmath>

namespace stagedoor::stage {
namespace {

using Values = std::array<float, face_input_count>;

// What counts of a face that says the same thing twice.
Values without_doubles(const FaceSheet& sheet, const FaceInputs& inputs) {
  Values values = inputs.values;
  for (const auto& [input, others] : sheet.instead) {
    if (!inputs.given[input]) continue;
    for (const auto other : others) values[other] = 0;
  }
  return values;
}

SheetPoint sum_of(const std::vector<SheetOffset>& offsets, const Values& values) {
  SheetPoint sum;
  for (const auto& [input, by] : offsets) {
    const double value = values[input];
    sum.x += by.x * value;
    sum.y += by.y * value;
  }
  return sum;
}

void place_points(const FaceSheet& sheet, const Values& values, std::vector<SheetPoint>& out) {
  out.resize(sheet.points.size());
  for (std::size_t i = 0; i < out.size(); ++i) {
    const auto& point = sheet.points[i];
    const auto moved = sum_of(point.moves, values);
    out[i] = {point.at_rest.x + moved.x, point.at_rest.y + moved.y};
  }
  for (const auto& [upper, lower] : sheet.meet) {
    if (out[upper].y <= out[lower].y) continue;
    out[upper].y = out[lower].y = (out[upper].y + out[lower].y) / 2;
  }
}

// How a layer's points move when the head turns.
class Turn {
 public:
  Turn(const FaceSheet& sheet, const SheetLayer& layer, const Values& values)
      : sheet_(sheet), layer_(layer), move_(sum_of(layer.move, values)) {
    const double roll = values[head_roll_input] * layer.follow;
    sin_yaw_ = std::sin(values[head_yaw_input] * layer.follow);
    sin_pitch_ = std::sin(values[head_pitch_input] * layer.follow);
    sin_roll_ = std::sin(roll);
    cos_roll_ = std::cos(roll);
  }

  SheetPoint operator()(SheetPoint at) const {
    const double across = (at.x - sheet_.head_centre.x) / sheet_.head_radius;
    const double along = (at.y - sheet_.head_centre.y) / sheet_.head_radius;
    const double nearness = layer_.depth - layer_.bulge * (across * across + along * along);
    const double x = at.x + nearness * sin_yaw_ - sheet_.neck.x;
    const double y = at.y - nearness * sin_pitch_ - sheet_.neck.y;
    return {sheet_.neck.x + x * cos_roll_ - y * sin_roll_ + move_.x,
            sheet_.neck.y + x * sin_roll_ + y * cos_roll_ + move_.y};
  }

 private:
  const FaceSheet& sheet_;
  const SheetLayer& layer_;
  SheetPoint move_;
  double sin_yaw_, sin_pitch_, sin_roll_, cos_roll_;
};

double opacity_of(const SheetShape& shape, const Values& values) {
  double opacity = shape.opacity;
  for (const auto& [input, amount] : shape.fade) opacity += amount * values[input];
  return std::clamp(opacity, 0.0, 1.0);
}

// The tangent at a smooth point, of length 1; the ends of an open path are their own neighbours.
SheetPoint tangent_at(const SheetPath& path, const SheetPoint* points, std::size_t index) {
  const std::size_t last = path.points.size() - 1;
  const auto before = index > 0 ? index - 1 : (path.is_closed ? last : 0);
  const auto after = index < last ? index + 1 : (path.is_closed ? 0 : last);
  const double x = points[after].x - points[before].x, y = points[after].y - points[before].y;
  const double length = std::sqrt(x * x + y * y);
  return length == 0 ? SheetPoint{} : SheetPoint{x / length, y / length};
}

}  // namespace

void pose_face(const FaceSheet& sheet, const FaceInputs& inputs, FacePose& pose) {
  const auto values = without_doubles(sheet, inputs);
  place_points(sheet, values, pose.named);
  pose.points.clear();
  pose.shapes.clear();
  pose.layers.clear();
  for (const auto& layer : sheet.layers) {
    const Turn turn(sheet, layer, values);
    const auto place = [&](const SheetPath& path, SheetPoint shift) {
      const FacePose::Path placed{pose.points.size(), path.points.size()};
      for (const auto& point : path.points) {
        const auto at = turn(point.named ? pose.named[*point.named] : point.fixed);
        pose.points.push_back({at.x + shift.x, at.y + shift.y});
      }
      return placed;
    };
    auto& posed = pose.layers.emplace_back();
    posed.first = pose.shapes.size();
    if (layer.clip) posed.clip = place(sheet.clips[*layer.clip], {});
    for (const auto& shape : layer.shapes) {
      const auto shift = sum_of(shape.move, values);
      auto& drawn = pose.shapes.emplace_back();
      drawn.path = place(shape.path, shift);
      drawn.opacity = opacity_of(shape, values);
      if (!shape.gradient_fill) continue;
      const auto anchor = sheet.gradients[*shape.gradient_fill].anchor;
      const auto there = turn(anchor);
      drawn.travel = {there.x + shift.x - anchor.x, there.y + shift.y - anchor.y};
    }
  }
}

std::size_t curve_part_count(const SheetPath& path) {
  return path.is_closed ? path.points.size() : path.points.size() - 1;
}

CurvePart curve_part(const SheetPath& path, const SheetPoint* points, std::size_t index) {
  const std::size_t next = index + 1 == path.points.size() ? 0 : index + 1;
  const SheetPoint from = points[index], to = points[next];
  const SheetPoint third{(to.x - from.x) / 3, (to.y - from.y) / 3};
  const double reach = std::sqrt(third.x * third.x + third.y * third.y);
  const auto handle = [&](std::size_t at) {
    if (path.points[at].is_corner) return third;
    const auto tangent = tangent_at(path, points, at);
    return SheetPoint{tangent.x * reach, tangent.y * reach};
  };
  const auto first = handle(index), second = handle(next);
  return {{from.x + first.x, from.y + first.y}, {to.x - second.x, to.y - second.y}, to};
}

}  // namespace stagedoor::stage
