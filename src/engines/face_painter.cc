// SPDX-License-Identifier: Apache-2.0

#include "engines/face_painter.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "engines/gradient_tile.h"
#include "stage/face_pose.h"

namespace stagedoor::engines {
namespace {

using stage::FacePose;
using stage::SheetPath;
using stage::SheetPoint;
using stage::SheetShape;

struct PenDestroyer {
  void operator()(cairo_t* pen) const { cairo_destroy(pen); }
};
using Pen = std::unique_ptr<cairo_t, PenDestroyer>;

PixelBox common(const PixelBox& a, const PixelBox& b) {
  return {std::max(a.left, b.left), std::max(a.top, b.top), std::min(a.right, b.right),
          std::min(a.bottom, b.bottom)};
}
PixelBox around(const PixelBox& a, const PixelBox& b) {
  if (a.is_empty()) return b;
  if (b.is_empty()) return a;
  return {std::min(a.left, b.left), std::min(a.top, b.top), std::max(a.right, b.right),
          std::max(a.bottom, b.bottom)};
}
long area(const PixelBox& box) {
  return box.is_empty() ? 0 : static_cast<long>(box.right - box.left) * (box.bottom - box.top);
}

// Smoothed edges reach into the next pixel.
constexpr double edge = 1;

// A point that has moved by less since it was drawn stays where it was drawn.
constexpr double unseen = 0.125;

// The sheet covers the picture, its focus as near to the middle as it can be.
Placement placement_of(const stage::FaceSheet& sheet, int width, int height) {
  const double scale = std::max(width / sheet.width, height / sheet.height);
  const auto shift = [scale](int pixels, double focus, double units) {
    const double least = std::min(0.0, pixels - units * scale);
    return std::clamp(pixels / 2.0 - focus * scale, least, 0.0);
  };
  return {scale, shift(width, sheet.focus.x, sheet.width),
          shift(height, sheet.focus.y, sheet.height)};
}

// What moves neither by itself nor with the head.
bool is_still(const stage::FaceSheet& sheet, const SheetPath& path) {
  return std::ranges::none_of(path.points, [&](const auto& point) {
    return point.named && !sheet.points[*point.named].moves.empty();
  });
}
bool is_still(const stage::FaceSheet& sheet, const stage::SheetLayer& layer) {
  if (layer.follow != 0 || !layer.move.empty()) return false;
  if (layer.clip && !is_still(sheet, sheet.clips[*layer.clip])) return false;
  return std::ranges::all_of(layer.shapes, [&](const SheetShape& shape) {
    return shape.move.empty() && shape.fade.empty() && is_still(sheet, shape.path);
  });
}

// A path in pixels: the curve parts after its beginning.
struct Curves {
  SheetPoint begin;
  std::vector<stage::CurvePart> parts;
};

bool is_same(const SheetPoint& a, const SheetPoint& b) {
  return a.x == b.x && a.y == b.y;
}
bool is_same(const stage::CurvePart& a, const stage::CurvePart& b) {
  return is_same(a.end, b.end) && is_same(a.first_handle, b.first_handle) &&
         is_same(a.second_handle, b.second_handle);
}

// Grows over points; `box` gives the pixels that they touch.
class Extent {
 public:
  void add(const SheetPoint& point) {
    left_ = std::min(left_, point.x);
    right_ = std::max(right_, point.x);
    top_ = std::min(top_, point.y);
    bottom_ = std::max(bottom_, point.y);
  }
  // A curve stays within its end points and handles.
  void add(const SheetPoint& from, const stage::CurvePart& part) {
    add(from);
    add(part.first_handle);
    add(part.second_handle);
    add(part.end);
  }
  // Within `whole`, and so small enough for an int.
  PixelBox box(double beyond, const PixelBox& whole) const {
    if (left_ > right_) return {};
    const auto cut = [](double at, int least, int most) {
      return static_cast<int>(std::clamp(at, static_cast<double>(least), most + 0.0));
    };
    return {cut(std::floor(left_ - beyond), whole.left, whole.right),
            cut(std::floor(top_ - beyond), whole.top, whole.bottom),
            cut(std::ceil(right_ + beyond), whole.left, whole.right),
            cut(std::ceil(bottom_ + beyond), whole.top, whole.bottom)};
  }

 private:
  static constexpr double far_away = std::numeric_limits<double>::max();
  double left_ = far_away, top_ = far_away, right_ = -far_away, bottom_ = -far_away;
};

PixelBox box_of(const Curves& curves, double beyond, const PixelBox& whole) {
  Extent extent;
  extent.add(curves.begin);
  const auto* from = &curves.begin;
  for (const auto& part : curves.parts) {
    extent.add(*from, part);
    from = &part.end;
  }
  return extent.box(beyond, whole);
}

// Where an area changes when its outline does: between the old and the new course of those parts
// that are not the same. All of them together, since the area between two chains of parts may lie
// outside of every single one.
PixelBox box_of_change(const Curves& now, const Curves& then, double beyond,
                       const PixelBox& whole) {
  Extent extent;
  const auto *from = &now.begin, *from_then = &then.begin;
  for (std::size_t i = 0; i < now.parts.size(); ++i) {
    const auto &part = now.parts[i], &part_then = then.parts[i];
    if (!is_same(*from, *from_then) || !is_same(part, part_then)) {
      extent.add(*from, part);
      extent.add(*from_then, part_then);
    }
    from = &part.end;
    from_then = &part_then.end;
  }
  return extent.box(beyond, whole);
}

// Boxes that do not overlap, few of them: where two would nearly make one, they become one.
class Damage {
 public:
  void clear() { boxes_.clear(); }
  void add(PixelBox box) {
    if (box.is_empty()) return;
    for (std::size_t i = 0; i < boxes_.size();) {
      const auto both = around(boxes_[i], box);
      const bool overlap = !common(boxes_[i], box).is_empty();
      if (!overlap && area(both) > (area(boxes_[i]) + area(box)) * 5 / 4) {
        ++i;
        continue;
      }
      box = both;
      boxes_.erase(boxes_.begin() + static_cast<std::ptrdiff_t>(i));
      i = 0;  // Grown, it may meet those that it missed before.
    }
    boxes_.push_back(box);
  }
  std::span<const PixelBox> boxes() const { return boxes_; }

 private:
  std::vector<PixelBox> boxes_;
};

// How far a gradient has gone, in whole pixels.
struct Travel {
  int x = 0, y = 0;
  bool operator==(const Travel&) const = default;
};

}  // namespace

struct FacePainter::State {
  std::shared_ptr<const stage::FaceSheet> sheet;
  int width = 0, height = 0;
  Placement placement;
  Surface picture, backdrop;
  Pen pen;
  std::size_t still_layers = 0;  // the first ones; they are in the backdrop
  // Of one face: where all is.
  struct Placed {
    FacePose pose;
    std::vector<Curves> shapes, clips;  // clips: of each layer
    std::vector<PixelBox> boxes;        // of each shape, cut by its layer's clip
    std::vector<Travel> travels;        // of each shape's gradient
  };
  Placed now, then;
  std::vector<GradientTile> tiles;  // of each shape
  std::vector<SheetPoint> placed;
  Damage damage;
  bool has_drawn = false;

  PixelBox whole() const { return {0, 0, width, height}; }
  // How far beyond its path a shape is seen, in pixels.
  double reach_of(const SheetShape& shape) const {
    return edge + (shape.stroke ? shape.stroke->width / 2 * placement.scale : 0);
  }
  void place(const stage::FaceInputs& face);
  void place(const SheetPath& path, const FacePose::Path& at, const Curves& drawn_before,
             Curves& curves);
  void find_damage();
  PixelBox damage_of(const SheetShape& shape, std::size_t index) const;
  void trace(const SheetPath& path, const Curves& curves);
  void draw_layers(std::size_t first, std::size_t last, const PixelBox& box);
  void draw_shape(const SheetShape& shape, std::size_t index, const PixelBox& box);
  void fill_with_gradient(const SheetShape& shape, std::size_t index, const PixelBox& box);
  void copy_backdrop(const PixelBox& box);
  void make_backdrop();
};

void FacePainter::State::place(const SheetPath& path, const FacePose::Path& at,
                               const Curves& drawn_before, Curves& curves) {
  placed.resize(at.count);
  for (std::size_t i = 0; i < at.count; ++i) {
    const auto& point = now.pose.points[at.first + i];
    placed[i] = {point.x * placement.scale + placement.left,
                 point.y * placement.scale + placement.top};
    if (!has_drawn) continue;
    const auto drawn = i == 0 ? drawn_before.begin : drawn_before.parts[i - 1].end;
    if (std::abs(placed[i].x - drawn.x) < unseen && std::abs(placed[i].y - drawn.y) < unseen)
      placed[i] = drawn;
  }
  curves.begin = placed[0];
  curves.parts.resize(stage::curve_part_count(path));
  for (std::size_t i = 0; i < curves.parts.size(); ++i)
    curves.parts[i] = stage::curve_part(path, placed.data(), i);
}

void FacePainter::State::place(const stage::FaceInputs& face) {
  stage::pose_face(*sheet, face, now.pose);
  now.shapes.resize(now.pose.shapes.size());
  now.boxes.resize(now.pose.shapes.size());
  now.clips.resize(sheet->layers.size());
  now.travels.resize(now.shapes.size());
  if (!has_drawn) then = now;
  for (std::size_t l = 0; l < sheet->layers.size(); ++l) {
    const auto& layer = sheet->layers[l];
    const auto& posed = now.pose.layers[l];
    auto clip = whole();
    if (layer.clip) {
      place(sheet->clips[*layer.clip], posed.clip, then.clips[l], now.clips[l]);
      clip = box_of(now.clips[l], edge, whole());
    }
    for (std::size_t s = 0; s < layer.shapes.size(); ++s) {
      const auto& shape = layer.shapes[s];
      const auto index = posed.first + s;
      place(shape.path, now.pose.shapes[index].path, then.shapes[index], now.shapes[index]);
      const auto travel = now.pose.shapes[index].travel;
      now.travels[index] = {static_cast<int>(std::lround(travel.x * placement.scale)),
                            static_cast<int>(std::lround(travel.y * placement.scale))};
      const auto box = box_of(now.shapes[index], reach_of(shape), whole());
      now.boxes[index] = now.pose.shapes[index].opacity > 0 ? common(clip, box) : PixelBox{};
    }
  }
}

// Where the shape looks other than before, its layer's clip aside.
PixelBox FacePainter::State::damage_of(const SheetShape& shape, std::size_t index) const {
  const auto &posed = now.pose.shapes[index], &posed_then = then.pose.shapes[index];
  const auto both = around(now.boxes[index], then.boxes[index]);
  if (both.is_empty() || posed.opacity != posed_then.opacity ||
      now.travels[index] != then.travels[index])
    return both;
  return common(both, box_of_change(now.shapes[index], then.shapes[index], reach_of(shape), both));
}

void FacePainter::State::find_damage() {
  damage.clear();
  if (!has_drawn) return damage.add(whole());
  const auto add = [this](const PixelBox& box) {
    const int mask = ~(block_pixels - 1);
    const PixelBox in_blocks{box.left & mask, box.top & mask, (box.right + block_pixels - 1) & mask,
                             (box.bottom + block_pixels - 1) & mask};
    if (!box.is_empty()) damage.add(common(in_blocks, whole()));
  };
  for (std::size_t l = still_layers; l < sheet->layers.size(); ++l) {
    const auto& layer = sheet->layers[l];
    const auto clip_change =
        layer.clip ? box_of_change(now.clips[l], then.clips[l], edge, whole()) : PixelBox{};
    for (std::size_t s = 0; s < layer.shapes.size(); ++s) {
      const auto index = now.pose.layers[l].first + s;
      add(damage_of(layer.shapes[s], index));
      add(common(clip_change, around(now.boxes[index], then.boxes[index])));
    }
  }
}

void FacePainter::State::trace(const SheetPath& path, const Curves& curves) {
  cairo_new_path(pen.get());
  cairo_move_to(pen.get(), curves.begin.x, curves.begin.y);
  for (const auto& part : curves.parts)
    cairo_curve_to(pen.get(), part.first_handle.x, part.first_handle.y, part.second_handle.x,
                   part.second_handle.y, part.end.x, part.end.y);
  if (path.is_closed) cairo_close_path(pen.get());
}

void FacePainter::State::fill_with_gradient(const SheetShape& shape, std::size_t index,
                                            const PixelBox& box) {
  const auto& posed = now.pose.shapes[index];
  const auto [x, y] = now.travels[index];
  auto& tile = tiles[index];
  auto* surface = tile.at_rest(sheet->gradients[*shape.gradient_fill], placement, posed.opacity,
                               box.left - x, box.top - y, box.right - x, box.bottom - y);
  if (surface == nullptr) return;
  cairo_set_source_surface(pen.get(), surface, tile.x() + x, tile.y() + y);
  cairo_pattern_set_filter(cairo_get_source(pen.get()), CAIRO_FILTER_NEAREST);
  cairo_fill_preserve(pen.get());
}

void FacePainter::State::draw_shape(const SheetShape& shape, std::size_t index,
                                    const PixelBox& box) {
  const double opacity = now.pose.shapes[index].opacity;
  const auto use = [&](const stage::SheetColour& colour) {
    cairo_set_source_rgba(pen.get(), colour.red / 255.0, colour.green / 255.0, colour.blue / 255.0,
                          colour.alpha / 255.0 * opacity);
  };
  trace(shape.path, now.shapes[index]);
  if (shape.plain_fill) {
    use(*shape.plain_fill);
    cairo_fill_preserve(pen.get());
  }
  if (shape.gradient_fill) fill_with_gradient(shape, index, box);
  if (shape.stroke) {
    use(shape.stroke->colour);
    cairo_set_line_width(pen.get(), shape.stroke->width * placement.scale);
    cairo_stroke_preserve(pen.get());
  }
}

void FacePainter::State::draw_layers(std::size_t first, std::size_t last, const PixelBox& box) {
  cairo_save(pen.get());
  cairo_new_path(pen.get());
  cairo_rectangle(pen.get(), box.left, box.top, box.right - box.left, box.bottom - box.top);
  cairo_clip(pen.get());
  for (std::size_t l = first; l < last; ++l) {
    const auto& layer = sheet->layers[l];
    bool is_clipped = false;
    for (std::size_t s = 0; s < layer.shapes.size(); ++s) {
      const auto index = now.pose.layers[l].first + s;
      if (common(now.boxes[index], box).is_empty()) continue;
      if (layer.clip && !is_clipped) {
        is_clipped = true;
        cairo_save(pen.get());
        trace(sheet->clips[*layer.clip], now.clips[l]);
        cairo_clip(pen.get());
      }
      draw_shape(layer.shapes[s], index, now.boxes[index]);
    }
    if (is_clipped) cairo_restore(pen.get());
  }
  cairo_restore(pen.get());
}

void FacePainter::State::copy_backdrop(const PixelBox& box) {
  cairo_surface_flush(picture.get());
  const int stride = cairo_image_surface_get_stride(picture.get());
  const auto* from = cairo_image_surface_get_data(backdrop.get());
  auto* to = cairo_image_surface_get_data(picture.get());
  const auto bytes = static_cast<std::size_t>(box.right - box.left) * 4;
  for (int y = box.top; y < box.bottom; ++y) {
    const auto at = static_cast<std::ptrdiff_t>(y) * stride + box.left * 4;
    std::memcpy(to + at, from + at, bytes);
  }
  cairo_surface_mark_dirty_rectangle(picture.get(), box.left, box.top, box.right - box.left,
                                     box.bottom - box.top);
}

// Draws what never moves, keeps it, and forgets its gradients.
void FacePainter::State::make_backdrop() {
  while (still_layers < sheet->layers.size() && is_still(*sheet, sheet->layers[still_layers]))
    ++still_layers;
  draw_layers(0, still_layers, whole());
  cairo_surface_flush(picture.get());
  std::memcpy(cairo_image_surface_get_data(backdrop.get()),
              cairo_image_surface_get_data(picture.get()),
              static_cast<std::size_t>(cairo_image_surface_get_stride(picture.get())) *
                  static_cast<std::size_t>(height));
  tiles.clear();
  tiles.resize(now.pose.shapes.size());
}

FacePainter::FacePainter(std::unique_ptr<State> state) : state_(std::move(state)) {}
FacePainter::FacePainter(FacePainter&&) noexcept = default;
FacePainter& FacePainter::operator=(FacePainter&&) noexcept = default;
FacePainter::~FacePainter() = default;

base::Result<FacePainter> FacePainter::create(std::shared_ptr<const stage::FaceSheet> sheet,
                                              int width, int height) {
  auto state = std::make_unique<State>();
  state->sheet = std::move(sheet);
  state->width = width;
  state->height = height;
  state->placement = placement_of(*state->sheet, width, height);
  state->picture.reset(cairo_image_surface_create(CAIRO_FORMAT_RGB24, width, height));
  state->backdrop.reset(cairo_image_surface_create(CAIRO_FORMAT_RGB24, width, height));
  state->pen.reset(cairo_create(state->picture.get()));
  if (cairo_surface_status(state->backdrop.get()) != CAIRO_STATUS_SUCCESS ||
      cairo_status(state->pen.get()) != CAIRO_STATUS_SUCCESS)
    return base::fail(base::ErrorCode::unavailable, "no memory for a picture");
  // Sixteen levels at an edge and lines within a quarter of a pixel: nobody sees the rest in a
  // video, and it would cost a third more.
  cairo_set_antialias(state->pen.get(), CAIRO_ANTIALIAS_FAST);
  cairo_set_tolerance(state->pen.get(), 0.25);
  cairo_set_line_cap(state->pen.get(), CAIRO_LINE_CAP_ROUND);
  cairo_set_line_join(state->pen.get(), CAIRO_LINE_JOIN_ROUND);
  return FacePainter(std::move(state));
}

std::span<const PixelBox> FacePainter::draw(const stage::FaceInputs& face) {
  auto& state = *state_;
  std::swap(state.now, state.then);
  state.place(face);
  if (!state.has_drawn) {
    state.tiles.resize(state.now.pose.shapes.size());
    state.make_backdrop();
  }
  state.find_damage();
  for (const auto& box : state.damage.boxes()) {
    state.copy_backdrop(box);
    state.draw_layers(state.still_layers, state.sheet->layers.size(), box);
  }
  cairo_surface_flush(state.picture.get());
  state.has_drawn = true;
  return state.damage.boxes();
}

std::span<const std::uint8_t> FacePainter::pixels() const {
  return {cairo_image_surface_get_data(state_->picture.get()),
          static_cast<std::size_t>(stride()) * static_cast<std::size_t>(state_->height)};
}

int FacePainter::stride() const {
  return cairo_image_surface_get_stride(state_->picture.get());
}

base::Result<base::Done> FacePainter::write_png(const std::string& path) const {
  const auto status = cairo_surface_write_to_png(state_->picture.get(), path.c_str());
  if (status == CAIRO_STATUS_SUCCESS) return base::Done{};
  return base::fail(base::ErrorCode::unavailable, path + ": " + cairo_status_to_string(status));
}

}  // namespace stagedoor::engines
