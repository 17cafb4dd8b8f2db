// Colours laid over pixels of 32 bits (blue, green, red, alpha, each multiplied by alpha), as far
// as a shape covers them.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <span>

namespace stagedoor::engines {

// What a run of pixels is painted with: one colour, or a pixel for each.
struct Ink {
  std::uint32_t colour = 0;
  const std::uint32_t* pixels = nullptr;  // of the run's first pixel; null: the colour
  bool is_opaque = false;                 // whether all of it surely is
};

// A colour as above, from its parts, 0..255, and an opacity, 0..1.
std::uint32_t colour_of(int red, int green, int blue, double alpha);

// Over `count` pixels, all covered alike.
void blend(std::uint32_t* to, const Ink& ink, int count, std::uint8_t alpha);
// The same, each covered as it is.
void blend(std::uint32_t* to, const Ink& ink, std::span<const std::uint8_t> alphas);

// `of` times `by`, each 0..255 for 0..1.
constexpr std::uint8_t product(std::uint8_t of, std::uint8_t by) {
  const auto all = static_cast<std::uint16_t>(of * by + 128);
  return static_cast<std::uint8_t>(static_cast<std::uint16_t>(all + (all >> 8)) >> 8);
}

}  // namespace stagedoor::engines
