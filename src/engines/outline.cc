// SPDX-License-Identifier: Apache-2.0

#include "engines/outline.h"

#include <algorithm>
#include <cmath>

namespace stagedoor::engines {
namespace {

using stage::SheetPoint;

constexpr double beside_max = 1.0 / 6, arc_beside_max = 1.0 / 16;
constexpr int lines_max = 64;

double length_of(double x, double y) {
  return std::sqrt(x * x + y * y);
}

// How many lines a cubic curve needs: it leaves its chord by at most an eighth of its largest
// second difference times six, and with n lines by a n-th of a n-th of that.
int line_count(const SheetPoint& from, const stage::CurvePart& part) {
  const auto &a = part.first_handle, &b = part.second_handle;
  const double bend = std::max(length_of(from.x - 2 * a.x + b.x, from.y - 2 * a.y + b.y),
                               length_of(a.x - 2 * b.x + part.end.x, a.y - 2 * b.y + part.end.y));
  const double lines = std::ceil(std::sqrt(0.75 * bend / beside_max));
  return static_cast<int>(std::clamp(lines, 1.0, lines_max + 0.0));
}

}  // namespace

void flatten(const Curves& curves, Chain& out) {
  out.clear();
  out.push_back(curves.begin);
  auto from = curves.begin;
  for (const auto& part : curves.parts) {
    const int lines = line_count(from, part);
    for (int i = 1; i < lines; ++i) {
      const double t = static_cast<double>(i) / lines, s = 1 - t;
      const double of_from = s * s * s, of_first = 3 * s * s * t, of_second = 3 * s * t * t,
                   of_end = t * t * t;
      out.push_back({of_from * from.x + of_first * part.first_handle.x +
                         of_second * part.second_handle.x + of_end * part.end.x,
                     of_from * from.y + of_first * part.first_handle.y +
                         of_second * part.second_handle.y + of_end * part.end.y});
    }
    out.push_back(part.end);
    from = part.end;
  }
}

void StrokeOutline::trace(const Chain& chain, bool is_closed, double half_width) {
  constexpr double too_near = 1e-3;
  half_width_ = half_width;
  points_.clear();
  normals_.clear();
  for (const auto& point : chain) {
    if (!points_.empty() &&
        length_of(point.x - points_.back().x, point.y - points_.back().y) < too_near)
      continue;
    points_.push_back(point);
  }
  if (is_closed && points_.size() > 1 &&
      length_of(points_.front().x - points_.back().x, points_.front().y - points_.back().y) <
          too_near)
    points_.pop_back();
  const bool is_ring = is_closed && points_.size() > 2;
  const auto lines = is_ring ? points_.size() : points_.size() - 1;
  for (std::size_t i = 0; i < lines; ++i) {
    const auto &from = points_[i], &to = points_[(i + 1) % points_.size()];
    const double x = to.x - from.x, y = to.y - from.y, length = length_of(x, y);
    normals_.push_back({y / length, -x / length});
  }
  chains_.resize(is_ring ? 2 : 1);
  for (auto& one : chains_) one.clear();
  if (is_ring) {
    follow({.of_normal = 1, .is_closed = true}, chains_[0]);
    follow({.of_normal = -1, .is_closed = true}, chains_[1]);
    // Against the outer side, so that what lies within is not covered.
    std::ranges::reverse(chains_[1]);
    return;
  }
  if (normals_.empty()) normals_.push_back({0, -1});  // A dot.
  auto& whole = chains_[0];
  follow({.of_normal = 1, .is_closed = false}, whole);
  const auto last = normals_.back(), first = normals_.front();
  // Half circles, in two quarters each: a half has no direction of its own.
  arc(points_.back(), last, {-last.y, last.x}, whole);
  arc(points_.back(), {-last.y, last.x}, {-last.x, -last.y}, whole);
  Chain back;
  follow({.of_normal = -1, .is_closed = false}, back);
  whole.insert(whole.end(), back.rbegin(), back.rend());
  arc(points_.front(), {-first.x, -first.y}, {first.y, -first.x}, whole);
  arc(points_.front(), {first.y, -first.x}, first, whole);
}

// One side of the chain, in its direction.
void StrokeOutline::follow(const Side& side, Chain& out) const {
  const double reach = half_width_ * side.of_normal;
  const auto beside = [&](const SheetPoint& point, const SheetPoint& normal) {
    return SheetPoint{point.x + normal.x * reach, point.y + normal.y * reach};
  };
  for (std::size_t i = 0; i < normals_.size(); ++i) {
    const auto& normal = normals_[i];
    const bool is_first = i == 0 && !side.is_closed;
    if (!is_first) {
      const auto& before = normals_[i == 0 ? normals_.size() - 1 : i - 1];
      const double turn = before.x * normal.y - before.y * normal.x;
      // On the outer side of a corner the pen is round; on the inner one the lines cross.
      if (turn * side.of_normal > 0) {
        arc(points_[i], {before.x * side.of_normal, before.y * side.of_normal},
            {normal.x * side.of_normal, normal.y * side.of_normal}, out);
      }
    }
    out.push_back(beside(points_[i], normal));
    out.push_back(beside(points_[(i + 1) % points_.size()], normal));
  }
  if (points_.size() == 1) out.resize(1);
}

// The points between two directions, the shorter way round; without those at its ends.
void StrokeOutline::arc(const SheetPoint& around, const SheetPoint& from, const SheetPoint& to,
                        Chain& out) const {
  const double angle = std::atan2(from.x * to.y - from.y * to.x, from.x * to.x + from.y * to.y);
  const double step =
      2 * std::acos(1 - std::min(1.0, arc_beside_max / std::max(half_width_, 0.01)));
  const int count = std::min(lines_max, static_cast<int>(std::abs(angle) / step));
  for (int i = 1; i <= count; ++i) {
    const double part = angle * i / (count + 1), sine = std::sin(part), cosine = std::cos(part);
    out.push_back({around.x + half_width_ * (from.x * cosine - from.y * sine),
                   around.y + half_width_ * (from.x * sine + from.y * cosine)});
  }
}

}  // namespace stagedoor::engines
