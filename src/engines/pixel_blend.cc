// SPDX-License-Identifier: Apache-2.0

#include "engines/pixel_blend.h"

#include <algorithm>
#include <cmath>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace stagedoor::engines {
namespace {

// Porter and Duff's "over", of a pixel as far as it covers.
std::uint32_t over(std::uint32_t below, std::uint32_t ink, std::uint8_t alpha) {
  const auto part = [](std::uint32_t pixel, int shift) {
    return static_cast<std::uint8_t>(pixel >> shift);
  };
  const auto left = static_cast<std::uint8_t>(255 - product(part(ink, 24), alpha));
  std::uint32_t sum = 0;
  for (int shift = 0; shift < 32; shift += 8)
    sum |= static_cast<std::uint32_t>(product(part(ink, shift), alpha) +
                                      product(part(below, shift), left))
           << shift;
  return sum;
}

#ifdef __SSE2__

// Eight bytes in places of 16 bits, each times the other's, 0..255 for 0..1; as `product`.
__m128i product8(__m128i of, __m128i by) {
  const auto all = _mm_add_epi16(_mm_mullo_epi16(of, by), _mm_set1_epi16(128));
  return _mm_srli_epi16(_mm_add_epi16(all, _mm_srli_epi16(all, 8)), 8);
}

// Two pixels over two.
__m128i over2(__m128i below, __m128i ink) {
  const auto alpha = _mm_shufflehi_epi16(_mm_shufflelo_epi16(ink, 0xff), 0xff);
  const auto left = _mm_sub_epi16(_mm_set1_epi16(255), alpha);
  return _mm_add_epi16(ink, product8(below, left));
}

// Four pixels over four: `ink` of 32 bits each, `covered` the same alpha in each of a pixel's
// bytes.
__m128i over4(__m128i below, __m128i ink, __m128i covered) {
  const auto none = _mm_setzero_si128();
  const auto low = product8(_mm_unpacklo_epi8(ink, none), _mm_unpacklo_epi8(covered, none));
  const auto high = product8(_mm_unpackhi_epi8(ink, none), _mm_unpackhi_epi8(covered, none));
  return _mm_packus_epi16(over2(_mm_unpacklo_epi8(below, none), low),
                          over2(_mm_unpackhi_epi8(below, none), high));
}

__m128i over4(__m128i below, __m128i ink) {
  const auto none = _mm_setzero_si128();
  return _mm_packus_epi16(over2(_mm_unpacklo_epi8(below, none), _mm_unpacklo_epi8(ink, none)),
                          over2(_mm_unpackhi_epi8(below, none), _mm_unpackhi_epi8(ink, none)));
}

__m128i load(const std::uint32_t* pixels) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(pixels));
}
void store(std::uint32_t* pixels, __m128i value) {
  _mm_storeu_si128(reinterpret_cast<__m128i*>(pixels), value);
}
__m128i ink4(const Ink& ink, int at) {
  return ink.pixels ? load(ink.pixels + at) : _mm_set1_epi32(static_cast<int>(ink.colour));
}
// Four alphas, each four times.
__m128i spread(const std::uint8_t* alphas) {
  int word;
  __builtin_memcpy(&word, alphas, sizeof word);
  const auto bytes = _mm_cvtsi32_si128(word), pairs = _mm_unpacklo_epi8(bytes, bytes);
  return _mm_unpacklo_epi16(pairs, pairs);
}

int blend_by_four(std::uint32_t* to, const Ink& ink, int count, std::uint8_t alpha) {
  int at = 0;
  if (alpha == 255) {
    for (; at + 4 <= count; at += 4) store(to + at, over4(load(to + at), ink4(ink, at)));
    return at;
  }
  const auto covered = _mm_set1_epi8(static_cast<char>(alpha));
  for (; at + 4 <= count; at += 4) store(to + at, over4(load(to + at), ink4(ink, at), covered));
  return at;
}

int blend_by_four(std::uint32_t* to, const Ink& ink, const std::uint8_t* alphas, int count) {
  int at = 0;
  for (; at + 4 <= count; at += 4)
    store(to + at, over4(load(to + at), ink4(ink, at), spread(alphas + at)));
  return at;
}

#else

int blend_by_four(std::uint32_t*, const Ink&, int, std::uint8_t) {
  return 0;
}
int blend_by_four(std::uint32_t*, const Ink&, const std::uint8_t*, int) {
  return 0;
}

#endif

}  // namespace

std::uint32_t colour_of(int red, int green, int blue, double alpha) {
  const auto part = [alpha](int value) {
    return static_cast<std::uint32_t>(std::lround(value * alpha));
  };
  return part(255) << 24 | part(red) << 16 | part(green) << 8 | part(blue);
}

void blend(std::uint32_t* to, const Ink& ink, int count, std::uint8_t alpha) {
  if (alpha == 255 && ink.is_opaque) {
    if (ink.pixels) {
      std::copy_n(ink.pixels, count, to);
    } else {
      std::fill_n(to, count, ink.colour);
    }
    return;
  }
  for (int at = blend_by_four(to, ink, count, alpha); at < count; ++at)
    to[at] = over(to[at], ink.pixels ? ink.pixels[at] : ink.colour, alpha);
}

void blend(std::uint32_t* to, const Ink& ink, std::span<const std::uint8_t> alphas) {
  const int count = static_cast<int>(alphas.size());
  for (int at = blend_by_four(to, ink, alphas.data(), count); at < count; ++at)
    to[at] = over(to[at], ink.pixels ? ink.pixels[at] : ink.colour,
                  alphas[static_cast<std::size_t>(at)]);
}

}  // namespace stagedoor::engines
