// How much of each pixel an outline covers, for the part of a picture that a box holds.
//
// Lines are added one by one; each tells the pixels that it crosses how much changes there, and
// the sum from the left is what is covered (as FreeType's smooth rasteriser has it). All sums are
// of whole numbers, so that a box gives its pixels the very coverage that any other box would give
// them, and lines in any order the same. What an outline goes round twice is covered once.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "engines/outline.h"
#include "engines/pixel_box.h"

namespace stagedoor::engines {

// Not safe for concurrent use. Keeps its memory from shape to shape.
class Coverage {
 public:
  static constexpr int run_pixels = 16;

  // Begins a shape; what lies outside of the box counts only for what is right of it.
  void begin(const PixelBox& box);
  void add_closed(const Chain& chain);

  // Pixels of one row: `alphas` of each, or, where it is empty, `alpha` of all.
  struct Run {
    int x, y, count;
    std::uint8_t alpha;
    std::span<const std::uint8_t> alphas;
  };
  // Gives the runs that are not all empty, from top to bottom, and forgets the shape.
  template <class Take>
  void take_runs(Take&& take);

 private:
  struct Row {
    int first_run, last_run;  // which hold changes; first > last: none
  };
  void add_line(const stage::SheetPoint& from, const stage::SheetPoint& to);
  void add_in_row(int y, double from_x, double to_x, int height);
  void change(int y, int column, int by_height, int places);
  std::uint8_t take_alphas(int y, int run, int& sum, std::array<std::uint8_t, run_pixels>& alphas);
  static std::uint8_t alpha_of(int sum) {
    // 256 rows of 512 places are the whole of a pixel.
    const unsigned part = static_cast<unsigned>(sum < 0 ? -sum : sum) >> 9;
    return static_cast<std::uint8_t>(part >= 256 ? 255 : part);
  }

  PixelBox box_;
  int runs_ = 0;              // of a row
  int stride_ = 0;            // of `changes_`
  int top_ = 0, bottom_ = 0;  // of the rows that hold changes
  std::vector<int> changes_;
  std::vector<std::uint8_t> is_changed_;  // of each run
  std::vector<Row> rows_;
};

template <class Take>
void Coverage::take_runs(Take&& take) {
  std::array<std::uint8_t, run_pixels> alphas;
  for (int y = top_; y < bottom_; ++y) {
    auto& row = rows_[static_cast<std::size_t>(y - box_.top)];
    const auto* const changed = &is_changed_[static_cast<std::size_t>((y - box_.top) * runs_)];
    int sum = 0;
    for (int run = row.first_run; run < runs_ && (run <= row.last_run || sum != 0);) {
      const int x = box_.left + run * run_pixels;
      if (changed[run]) {
        take_alphas(y, run, sum, alphas);
        const int count = std::min(run_pixels, box_.right - x);
        take(Run{x, y, count, 0, std::span(alphas).first(static_cast<std::size_t>(count))});
        ++run;
        continue;
      }
      int end = run + 1;
      while (end < runs_ && !changed[end]) ++end;
      const int right = std::min(box_.left + end * run_pixels, box_.right);
      if (const auto alpha = alpha_of(sum); alpha > 0) take(Run{x, y, right - x, alpha, {}});
      run = end;
    }
    row = {runs_, -1};
  }
}

}  // namespace stagedoor::engines
