// SPDX-License-Identifier: Apache-2.0

#include "engines/coverage.h"

#include <algorithm>
#include <cmath>

namespace stagedoor::engines {
namespace {

constexpr int parts = 256;  // of a pixel, across and down

int part_of(double pixels) {
  // Farther away than this nothing is seen, and everything still fits. What is not negative is
  // rounded by cutting it off.
  constexpr int far_away = 8192;
  const double within = std::clamp(pixels, -1.0 * far_away, 1.0 * far_away);
  return static_cast<int>((within + far_away) * parts + 0.5) - far_away * parts;
}

int floor_div(int value, int by) {
  return value >= 0 ? value / by : -((-value + by - 1) / by);
}

}  // namespace

void Coverage::begin(const PixelBox& box) {
  box_ = box;
  runs_ = (box.right - box.left + run_pixels - 1) / run_pixels;
  stride_ = runs_ * run_pixels + 1;  // what changes right of the last pixel is not looked at
  const auto height = static_cast<std::size_t>(std::max(0, box.bottom - box.top));
  top_ = box.bottom;
  bottom_ = box.top;
  // What was there is all nought: runs are cleared as they are taken.
  const auto cells = height * static_cast<std::size_t>(stride_);
  if (changes_.size() < cells) changes_.resize(cells);
  const auto marks = height * static_cast<std::size_t>(runs_);
  if (is_changed_.size() < marks) is_changed_.resize(marks);
  rows_.assign(height, {runs_, -1});
}

void Coverage::add_closed(const Chain& chain) {
  for (std::size_t i = 0; i < chain.size(); ++i)
    add_line(chain[i], chain[i + 1 == chain.size() ? 0 : i + 1]);
}

void Coverage::add_line(const stage::SheetPoint& from, const stage::SheetPoint& to) {
  const bool goes_down = from.y < to.y;
  const auto &upper = goes_down ? from : to, &lower = goes_down ? to : from;
  const int begin = part_of(upper.y), end = part_of(lower.y);
  if (begin == end) return;
  const double slope = (lower.x - upper.x) / (lower.y - upper.y);
  const double least = std::min(from.x, to.x), most = std::max(from.x, to.x);
  if (least >= box_.right) return;
  const auto x_at = [&](int part) {
    const double y = static_cast<double>(part) / parts;
    return std::clamp(upper.x + (y - upper.y) * slope, least, most);
  };
  const int first = std::max(floor_div(begin, parts), box_.top);
  const int last = std::min(floor_div(end - 1, parts), box_.bottom - 1);
  for (int y = first; y <= last; ++y) {
    const int above = std::max(begin, y * parts), below = std::min(end, (y + 1) * parts);
    add_in_row(y, x_at(above), x_at(below), goes_down ? below - above : above - below);
  }
}

// A piece of a line within one row of pixels; `height` is negative where it goes up.
void Coverage::add_in_row(int y, double from_x, double to_x, int height) {
  const int from = part_of(std::min(from_x, to_x)), to = part_of(std::max(from_x, to_x));
  const int left = box_.left * parts;
  top_ = std::min(top_, y);
  bottom_ = std::max(bottom_, y + 1);
  if (to <= left) return change(y, box_.left, height, 0);
  int column = floor_div(from, parts);
  if (to <= (column + 1) * parts && column >= box_.left) {
    if (column < box_.right) change(y, column, height, from + to - 2 * column * parts);
    return;
  }
  // How much of the height lies left of a place: whole numbers that add up.
  const double height_of_part = static_cast<double>(height) / (to - from);
  const auto height_to = [&](int place) {
    return static_cast<int>(height_of_part * (place - from));
  };
  int place = from, done = 0;
  if (from < left) {
    done = height_to(left);
    change(y, box_.left, done, 0);
    place = left;
    column = box_.left;
  }
  for (; column < box_.right; ++column) {
    const int next = std::min((column + 1) * parts, to);
    const int reached = next == to ? height : height_to(next);
    change(y, column, reached - done, place + next - 2 * column * parts);
    if (next == to) return;
    done = reached;
    place = next;
  }
}

// `places` is twice how far right of the column's left edge the change lies on average.
void Coverage::change(int y, int column, int by_height, int places) {
  const int index = column - box_.left;
  auto* const cell = &changes_[static_cast<std::size_t>((y - box_.top) * stride_ + index)];
  cell[0] += by_height * (2 * parts - places);
  cell[1] += by_height * places;
  auto& row = rows_[static_cast<std::size_t>(y - box_.top)];
  auto* const marks = &is_changed_[static_cast<std::size_t>((y - box_.top) * runs_)];
  const int run = index / run_pixels, last = std::min((index + 1) / run_pixels, runs_ - 1);
  marks[run] = marks[last] = 1;
  row.first_run = std::min(row.first_run, run);
  row.last_run = std::max(row.last_run, last);
}

std::uint8_t Coverage::take_alphas(int y, int run, int& sum,
                                   std::array<std::uint8_t, run_pixels>& alphas) {
  auto* const cell =
      &changes_[static_cast<std::size_t>((y - box_.top) * stride_ + run * run_pixels)];
  for (int i = 0; i < run_pixels; ++i) {
    sum += cell[i];
    alphas[static_cast<std::size_t>(i)] = alpha_of(sum);
  }
  std::fill_n(cell, run_pixels, 0);
  if (run + 1 == runs_) cell[run_pixels] = 0;
  is_changed_[static_cast<std::size_t>((y - box_.top) * runs_ + run)] = 0;
  return alphas[run_pixels - 1];
}

}  // namespace stagedoor::engines
