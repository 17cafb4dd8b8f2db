// SPDX-License-Identifier: Apache-2.0

#include "engines/face_painter.h"

#include <cairo.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "engines/coverage.h"
#include "engines/gradient_tile.h"
#include "engines/outline.h"
#include "engines/pixel_blend.h"
#include "stage/face_pose.h"

namespace stagedoor::engines {
namespace {

using stage::FacePose;
using stage::SheetPath;
using stage::SheetPoint;
using stage::SheetShape;

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
  std::vector<std::uint32_t> picture, backdrop;
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
  // Of what is being drawn.
  Coverage coverage;
  Chain chain;
  StrokeOutline stroke;
  std::vector<std::uint8_t> mask;  // of a layer's clip, for `masked`
  PixelBox masked;
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
  void draw_layers(std::size_t first, std::size_t last, const PixelBox& box);
  void make_mask(const Curves& clip, const PixelBox& box);
  enum class Clip : unsigned char { none, mask };
  void draw_shape(const SheetShape& shape, std::size_t index, const PixelBox& box, Clip clip);
  void fill_with_gradient(const SheetShape& shape, std::size_t index, const PixelBox& box,
                          Clip clip);
  // Lays what is covered over the picture; `ink_at` gives what a run from (x, y) on is painted
  // with.
  template <class InkAt>
  void paint(Clip clip, const InkAt& ink_at);
  std::uint32_t* pixel(int x, int y) { return &picture[static_cast<std::size_t>(y * width + x)]; }
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
    const int blocks = ~(block_pixels - 1);
    const PixelBox in_blocks{box.left & blocks, box.top & blocks,
                             (box.right + block_pixels - 1) & blocks,
                             (box.bottom + block_pixels - 1) & blocks};
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

template <class InkAt>
void FacePainter::State::paint(Clip clip, const InkAt& ink_at) {
  std::array<std::uint8_t, Coverage::run_pixels> alphas;
  coverage.take_runs([&](const Coverage::Run& run) {
    if (clip == Clip::none) {
      if (run.alphas.empty())
        return blend(pixel(run.x, run.y), ink_at(run.x, run.y), run.count, run.alpha);
      return blend(pixel(run.x, run.y), ink_at(run.x, run.y), run.alphas);
    }
    const auto* const clipped = &mask[static_cast<std::size_t>(
        (run.y - masked.top) * (masked.right - masked.left) + (run.x - masked.left))];
    for (int at = 0; at < run.count; at += Coverage::run_pixels) {
      const int some = std::min(Coverage::run_pixels, run.count - at);
      for (int i = 0; i < some; ++i) {
        const auto own =
            run.alphas.empty() ? run.alpha : run.alphas[static_cast<std::size_t>(at + i)];
        alphas[static_cast<std::size_t>(i)] = product(clipped[at + i], own);
      }
      blend(pixel(run.x + at, run.y), ink_at(run.x + at, run.y),
            std::span(alphas).first(static_cast<std::size_t>(some)));
    }
  });
}

void FacePainter::State::make_mask(const Curves& clip, const PixelBox& box) {
  masked = box;
  mask.assign(static_cast<std::size_t>(area(box)), 0);
  flatten(clip, chain);
  coverage.begin(box);
  coverage.add_closed(chain);
  coverage.take_runs([&](const Coverage::Run& run) {
    auto* const to = &mask[static_cast<std::size_t>((run.y - box.top) * (box.right - box.left) +
                                                    (run.x - box.left))];
    if (run.alphas.empty()) {
      std::fill_n(to, run.count, run.alpha);
    } else {
      std::ranges::copy(run.alphas, to);
    }
  });
}

void FacePainter::State::fill_with_gradient(const SheetShape& shape, std::size_t index,
                                            const PixelBox& box, Clip clip) {
  const auto [x, y] = now.travels[index];
  const auto& whole_shape = now.boxes[index];
  auto& tile = tiles[index];
  tile.hold(
      sheet->gradients[*shape.gradient_fill], placement, now.pose.shapes[index].opacity,
      {whole_shape.left - x, whole_shape.top - y, whole_shape.right - x, whole_shape.bottom - y});
  coverage.begin(box);
  coverage.add_closed(chain);
  paint(clip, [&, x, y](int at_x, int at_y) {
    return Ink{.pixels = tile.at(at_x - x, at_y - y), .is_opaque = tile.is_opaque()};
  });
}

// What of the shape lies in the box, which lies within the shape's own.
void FacePainter::State::draw_shape(const SheetShape& shape, std::size_t index, const PixelBox& box,
                                    Clip clip) {
  const double opacity = now.pose.shapes[index].opacity;
  const auto use = [&](const stage::SheetColour& colour) {
    const auto pixel_of =
        colour_of(colour.red, colour.green, colour.blue, colour.alpha / 255.0 * opacity);
    const Ink ink{.colour = pixel_of, .is_opaque = pixel_of >> 24 == 255};
    paint(clip, [&](int, int) { return ink; });
  };
  flatten(now.shapes[index], chain);
  if (shape.plain_fill) {
    coverage.begin(box);
    coverage.add_closed(chain);
    use(*shape.plain_fill);
  }
  if (shape.gradient_fill) fill_with_gradient(shape, index, box, clip);
  if (shape.stroke) {
    stroke.trace(chain, shape.path.is_closed, shape.stroke->width * placement.scale / 2);
    coverage.begin(box);
    for (const auto& side : stroke.chains()) coverage.add_closed(side);
    use(shape.stroke->colour);
  }
}

void FacePainter::State::draw_layers(std::size_t first, std::size_t last, const PixelBox& box) {
  for (std::size_t l = first; l < last; ++l) {
    const auto& layer = sheet->layers[l];
    auto clip = Clip::none;
    for (std::size_t s = 0; s < layer.shapes.size(); ++s) {
      const auto index = now.pose.layers[l].first + s;
      const auto seen = common(now.boxes[index], box);
      if (seen.is_empty()) continue;
      if (layer.clip && clip == Clip::none) {
        clip = Clip::mask;
        make_mask(now.clips[l], common(box_of(now.clips[l], edge, whole()), box));
      }
      draw_shape(layer.shapes[s], index, seen, clip);
    }
  }
}

void FacePainter::State::copy_backdrop(const PixelBox& box) {
  const auto pixels = static_cast<std::size_t>(box.right - box.left);
  for (int y = box.top; y < box.bottom; ++y)
    std::copy_n(&backdrop[static_cast<std::size_t>(y * width + box.left)], pixels,
                pixel(box.left, y));
}

// Draws what never moves, keeps it, and forgets its gradients.
void FacePainter::State::make_backdrop() {
  while (still_layers < sheet->layers.size() && is_still(*sheet, sheet->layers[still_layers]))
    ++still_layers;
  draw_layers(0, still_layers, whole());
  backdrop = picture;
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
  const auto pixels = static_cast<std::size_t>(width) * static_cast<std::size_t>(height);
  state->picture.assign(pixels, 0xff000000);
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
  state.has_drawn = true;
  return state.damage.boxes();
}

std::span<const std::uint8_t> FacePainter::pixels() const {
  return {reinterpret_cast<const std::uint8_t*>(state_->picture.data()),
          state_->picture.size() * sizeof(std::uint32_t)};
}

int FacePainter::stride() const {
  return state_->width * static_cast<int>(sizeof(std::uint32_t));
}

namespace {

// The picture as Cairo writes it; it must stay as long.
using Surface = std::unique_ptr<cairo_surface_t, decltype(&cairo_surface_destroy)>;
Surface surface_of(std::span<const std::uint8_t> pixels, int width, int height, int stride) {
  auto* const bytes = const_cast<unsigned char*>(pixels.data());  // only read
  return {cairo_image_surface_create_for_data(bytes, CAIRO_FORMAT_RGB24, width, height, stride),
          &cairo_surface_destroy};
}

}  // namespace

base::Result<std::string> FacePainter::png() const {
  std::string bytes;
  const auto append = [](void* out, const unsigned char* data, unsigned int length) {
    static_cast<std::string*>(out)->append(reinterpret_cast<const char*>(data), length);
    return CAIRO_STATUS_SUCCESS;
  };
  const auto surface = surface_of(pixels(), state_->width, state_->height, stride());
  const auto status = cairo_surface_write_to_png_stream(surface.get(), append, &bytes);
  if (status == CAIRO_STATUS_SUCCESS) return bytes;
  return base::fail(base::ErrorCode::unavailable, cairo_status_to_string(status));
}

base::Result<base::Done> FacePainter::write_png(const std::string& path) const {
  const auto surface = surface_of(pixels(), state_->width, state_->height, stride());
  const auto status = cairo_surface_write_to_png(surface.get(), path.c_str());
  if (status == CAIRO_STATUS_SUCCESS) return base::Done{};
  return base::fail(base::ErrorCode::unavailable, path + ": " + cairo_status_to_string(status));
}

}  // namespace stagedoor::engines
