// SPDX-License-Identifier: Apache-2.0

#include "engines/gradient_tile.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace stagedoor::engines {
namespace {

constexpr int table_size = 1024;
using Table = std::array<std::uint32_t, table_size + 1>;

// The gradient's colours from its first place to its last, multiplied by their alpha. Between stops
// colour and alpha change evenly, each for itself, as on a canvas.
Table colours_of(const stage::SheetGradient& gradient, int opacity_of_255) {
  Table table{};
  const auto& stops = gradient.stops;
  std::size_t after = 0;
  for (int i = 0; i <= table_size; ++i) {
    const double place = static_cast<double>(i) / table_size;
    while (after < stops.size() && stops[after].place <= place) ++after;
    const auto& from = stops[after == 0 ? 0 : after - 1];
    const auto& to = stops[std::min(after, stops.size() - 1)];
    const double span = to.place - from.place;
    const double share = span > 0 ? std::clamp((place - from.place) / span, 0.0, 1.0) : 0;
    const auto mix = [share](std::uint8_t a, std::uint8_t b) { return a + (b - a) * share; };
    const double alpha = mix(from.colour.alpha, to.colour.alpha) * opacity_of_255 / 255;
    const auto spelled = [alpha](double part) {
      return static_cast<std::uint32_t>(std::lround(part * alpha / 255));
    };
    table[static_cast<std::size_t>(i)] = static_cast<std::uint32_t>(std::lround(alpha)) << 24 |
                                         spelled(mix(from.colour.red, to.colour.red)) << 16 |
                                         spelled(mix(from.colour.green, to.colour.green)) << 8 |
                                         spelled(mix(from.colour.blue, to.colour.blue));
  }
  return table;
}

std::uint32_t colour_at(const Table& table, float place) {
  const float index = std::clamp(place, 0.0F, 1.0F) * table_size + 0.5F;
  return table[static_cast<std::size_t>(index)];
}

}  // namespace

void GradientTile::hold(const stage::SheetGradient& gradient, const Placement& placement,
                        double opacity, const PixelBox& box) {
  const int of_255 = static_cast<int>(std::lround(opacity * 255));
  const bool reaches = common(box_, box) == box;
  if (reaches && of_255 == opacity_of_255_) return;
  if (!reaches) {
    // A little more than asked for: what it fills is about to move on.
    constexpr int margin = 8;
    box_ = around(box_,
                  {box.left - margin, box.top - margin, box.right + margin, box.bottom + margin});
    pixels_.resize(static_cast<std::size_t>(area(box_)));
  }
  opacity_of_255_ = of_255;
  is_opaque_ = of_255 == 255 && std::ranges::all_of(gradient.stops, [](const auto& stop) {
                 return stop.colour.alpha == 255;
               });
  work_out(gradient, placement);
}

void GradientTile::work_out(const stage::SheetGradient& gradient, const Placement& placement) {
  const auto table = colours_of(gradient, opacity_of_255_);
  const auto place_x = [&](double x) { return x * placement.scale + placement.left; };
  const auto place_y = [&](double y) { return y * placement.scale + placement.top; };
  const double from_x = place_x(gradient.anchor.x), from_y = place_y(gradient.anchor.y);
  const bool is_linear = gradient.kind == stage::SheetGradient::Kind::linear;
  // Place = a + b for linear, sqrt(a^2 + b^2) for radial; a of the column, b of the row.
  double step_x = 0, step_y = 0;
  if (is_linear) {
    const double x = place_x(gradient.far_end.x) - from_x, y = place_y(gradient.far_end.y) - from_y;
    step_x = x / (x * x + y * y);
    step_y = y / (x * x + y * y);
  } else {
    step_x = 1 / (gradient.across * placement.scale);
    step_y = 1 / (gradient.down * placement.scale);
  }
  auto* pixel = pixels_.data();
  for (int y = box_.top; y < box_.bottom; ++y) {
    const auto b = static_cast<float>((y + 0.5 - from_y) * step_y);
    for (int x = box_.left; x < box_.right; ++x) {
      const auto a = static_cast<float>((x + 0.5 - from_x) * step_x);
      *pixel++ = colour_at(table, is_linear ? a + b : std::sqrt(a * a + b * b));
    }
  }
}

}  // namespace stagedoor::engines
