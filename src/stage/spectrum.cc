// SPDX-License-Identifier: Apache-2.0

#include "stage/spectrum.h"

#include <cmath>
#include <cstdint>
#include <numbers>

#include "stage/resampler.h"

namespace stagedoor::stage {
namespace {

constexpr std::size_t fft_size = 512;
constexpr std::size_t half_size = fft_size / 2;  // A real signal is transformed as a half as long
                                                 // complex one.
constexpr double low_hz = 100, high_hz = 7000;
constexpr float floor_power = 1e-10F;

double mel_of(double hz) {
  return 1127.0 * std::log1p(hz / 700.0);
}

struct Complex {
  float re = 0, im = 0;
};

// What does not depend on the audio; made once, never changed.
struct Tables {
  std::array<float, window_samples> window;
  std::array<Complex, half_size> turn;  // exp(-2 pi i k / fft_size)
  std::array<std::uint8_t, half_size> reversed;
  // Each bin lies between two bands' middles: `band[bin]` is the upper, `rise[bin]` its share.
  std::array<std::int8_t, half_size> band;
  std::array<float, half_size> rise;

  Tables();
};

Tables::Tables() {
  double sum = 0;
  for (std::size_t i = 0; i < window_samples; ++i) {
    const double value = 0.5 - 0.5 * std::cos(2 * std::numbers::pi *
                                              (static_cast<double>(i) + 0.5) / window_samples);
    window[i] = static_cast<float>(value);
    sum += value * value;
  }
  // So scaled that a full-scale sine has power 1 over all its bins.
  for (float& value : window) value *= static_cast<float>(std::sqrt(4.0 / (fft_size * sum)));
  for (std::size_t k = 0; k < half_size; ++k) {
    const double angle = -2 * std::numbers::pi * static_cast<double>(k) / fft_size;
    turn[k] = {static_cast<float>(std::cos(angle)), static_cast<float>(std::sin(angle))};
    std::size_t back = 0;
    for (std::size_t bit = 0; bit < 8; ++bit) back |= ((k >> bit) & 1) << (7 - bit);
    reversed[k] = static_cast<std::uint8_t>(back);
    const double hz = static_cast<double>(k) * hearing_rate_hz / fft_size;
    const double place =
        (mel_of(hz) - mel_of(low_hz)) / (mel_of(high_hz) - mel_of(low_hz)) * (band_count + 1) - 1;
    const double whole = std::floor(place);
    const bool inside = place > -1 && place < static_cast<double>(band_count);
    band[k] = static_cast<std::int8_t>(inside ? whole + 1 : -1);
    rise[k] = static_cast<float>(place - whole);
  }
}

const Tables& tables() {
  static const Tables made;
  return made;
}

void transform(std::array<Complex, half_size>& data, const Tables& table) {
  for (std::size_t half = 1; half < half_size; half *= 2) {
    const std::size_t stride = half_size / half;
    for (std::size_t start = 0; start < half_size; start += 2 * half) {
      for (std::size_t k = 0; k < half; ++k) {
        const Complex w = table.turn[k * stride];
        Complex& a = data[start + k];
        Complex& b = data[start + k + half];
        const Complex turned = {b.re * w.re - b.im * w.im, b.re * w.im + b.im * w.re};
        b = {a.re - turned.re, a.im - turned.im};
        a = {a.re + turned.re, a.im + turned.im};
      }
    }
  }
}

}  // namespace

Spectrum spectrum_of(std::span<const float, window_samples> samples) {
  const Tables& table = tables();
  std::array<Complex, half_size> data{};
  for (std::size_t i = 0; i < window_samples / 2; ++i) {
    data[table.reversed[i]] = {samples[2 * i] * table.window[2 * i],
                               samples[2 * i + 1] * table.window[2 * i + 1]};
  }
  transform(data, table);
  std::array<float, band_count> power{};
  for (std::size_t k = 1; k < half_size; ++k) {
    const int upper = table.band[k];
    if (upper < 0) continue;
    // The real signal's bin from the two halves' sum and difference.
    const Complex a = data[k], b = data[half_size - k];
    const Complex even = {0.5F * (a.re + b.re), 0.5F * (a.im - b.im)};
    const Complex odd = {0.5F * (a.im + b.im), -0.5F * (a.re - b.re)};
    const Complex w = table.turn[k];
    const float re = even.re + odd.re * w.re - odd.im * w.im;
    const float im = even.im + odd.re * w.im + odd.im * w.re;
    const float bin = re * re + im * im;
    if (upper < static_cast<int>(band_count)) power[upper] += bin * table.rise[k];
    if (upper > 0) power[upper - 1] += bin * (1 - table.rise[k]);
  }
  Spectrum result{};
  float all = 0;
  for (std::size_t i = 0; i < band_count; ++i) {
    all += power[i];
    result.bands_db[i] = 10 * std::log10(power[i] + floor_power);
  }
  result.loudness_db = 10 * std::log10(all + floor_power);
  return result;
}

}  // namespace stagedoor::stage
