// SPDX-License-Identifier: Apache-2.0

#include "stage/resampler.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace stagedoor::stage {
namespace {

constexpr int places = 32;
constexpr int zero_crossings = 8;
constexpr double pass_share = 0.92;  // Of the slower rate's half.

// A Hann-windowed sinc at `x` slower samples from its middle.
double kernel(double x) {
  if (std::abs(x) >= zero_crossings) return 0;
  const double angle = std::numbers::pi * x * pass_share;
  const double sinc = std::abs(angle) < 1e-9 ? 1.0 : std::sin(angle) / angle;
  return sinc * (0.5 + 0.5 * std::cos(std::numbers::pi * x / zero_crossings));
}

}  // namespace

Resampler::Resampler(int rate_hz, int to_hz)
    : rate_hz_(std::clamp(rate_hz, 8000, 48000)), to_hz_(std::clamp(to_hz, 8000, 48000)) {
  const double step = std::max(1.0, rate_hz_ / static_cast<double>(to_hz_));
  half_taps_ = static_cast<int>(std::ceil(zero_crossings * step));
  const int width = 2 * half_taps_;
  taps_.resize(static_cast<std::size_t>(width) * (places + 1));
  for (int place = 0; place <= places; ++place) {
    // Tap t stands at input offset t - half_taps + 1 from the whole position.
    double sum = 0;
    for (int tap = 0; tap < width; ++tap) {
      sum += kernel((tap - half_taps_ + 1 - place / static_cast<double>(places)) / step);
    }
    for (int tap = 0; tap < width; ++tap) {
      const double value =
          kernel((tap - half_taps_ + 1 - place / static_cast<double>(places)) / step);
      taps_[place * width + tap] = static_cast<float>(value / sum / 32768.0);
    }
  }
  recent_.assign(static_cast<std::size_t>(width) * 2, 0.0F);
  wait_ = half_taps_ + 1;
}

void Resampler::push(std::span<const std::int16_t> samples, std::vector<float>& out) {
  for (const std::int16_t sample : samples) take(static_cast<float>(sample), out);
}

void Resampler::take(float sample, std::vector<float>& out) {
  const int width = 2 * half_taps_;
  recent_[newest_] = sample;
  recent_[newest_ + width] = sample;
  newest_ = newest_ + 1 == width ? 0 : newest_ + 1;
  --wait_;
  while (wait_ <= 0) {
    const int scaled = fraction_ * places;
    const int phase = scaled / to_hz_;
    out.push_back(at(phase, static_cast<float>(scaled % to_hz_) / static_cast<float>(to_hz_)));
    fraction_ += rate_hz_;
    wait_ += fraction_ / to_hz_;
    fraction_ %= to_hz_;
  }
}

float Resampler::at(int phase, float share) const {
  const int width = 2 * half_taps_;
  const float* window = recent_.data() + newest_;
  const float* early = taps_.data() + phase * width;
  const float* late = early + width;
  // Four sums of their own, in a fixed order: the compiler may run them side by side.
  float low[4] = {}, high[4] = {};
  int tap = 0;
  for (; tap + 4 <= width; tap += 4) {
    for (int lane = 0; lane < 4; ++lane) {
      low[lane] += window[tap + lane] * early[tap + lane];
      high[lane] += window[tap + lane] * late[tap + lane];
    }
  }
  for (; tap < width; ++tap) {
    low[0] += window[tap] * early[tap];
    high[0] += window[tap] * late[tap];
  }
  const float first = (low[0] + low[1]) + (low[2] + low[3]);
  const float second = (high[0] + high[1]) + (high[2] + high[3]);
  return first + (second - first) * share;
}

std::size_t Resampler::held_bytes() const {
  return (taps_.capacity() + recent_.capacity()) * sizeof(float);
}

}  // namespace stagedoor::stage
