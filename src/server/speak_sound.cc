// SPDX-License-Identifier: Apache-2.0

#include "server/speak_sound.h"

#include <sndfile.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <numbers>
#include <utility>

namespace stagedoor::server {
namespace {

constexpr int longest_seconds = 3600;
constexpr int highest_rate_hz = 768000;

struct FileCloser {
  void operator()(SNDFILE* file) const { sf_close(file); }
};

std::int16_t to_sample(double value) {
  return static_cast<std::int16_t>(std::clamp(std::lround(value * 32768), -32768L, 32767L));
}

// Half of a Blackman-windowed sinc, tabulated finely enough to be read with linear interpolation.
class Kernel {
 public:
  static constexpr int zero_crossings = 32;

  // `cutoff` is in cycles per input sample times two: 1 lets everything pass.
  explicit Kernel(double cutoff) : reach_(zero_crossings / cutoff), values_(points + 2) {
    for (int i = 0; i <= points; ++i) {
      const double place = static_cast<double>(i) / points;  // 0 in the middle, 1 at the edge
      const double x = std::numbers::pi * place * zero_crossings;
      const double window = 0.42 + 0.5 * std::cos(std::numbers::pi * place) +
                            0.08 * std::cos(2 * std::numbers::pi * place);
      values_[static_cast<std::size_t>(i)] = cutoff * window * (i == 0 ? 1 : std::sin(x) / x);
    }
  }
  double reach() const { return reach_; }  // input samples to either side
  double at(double distance) const {
    const double place = std::min(std::abs(distance) / reach_, 1.0) * points;
    const auto index = static_cast<std::size_t>(place);
    const double part = place - static_cast<double>(index);
    return values_[index] * (1 - part) + values_[index + 1] * part;
  }

 private:
  static constexpr int points = zero_crossings * 512;
  double reach_;
  std::vector<double> values_;
};

}  // namespace

base::Result<Sound> read_sound(const std::string& path) {
  SF_INFO info{};
  const std::unique_ptr<SNDFILE, FileCloser> file(sf_open(path.c_str(), SFM_READ, &info));
  if (!file) {
    return base::fail(base::ErrorCode::malformed, "sf_open",
                      "cannot read " + path + ": " + sf_strerror(nullptr));
  }
  if (info.samplerate < 1 || info.samplerate > highest_rate_hz || info.channels < 1) {
    return base::fail(base::ErrorCode::malformed, "sound format",
                      path + " has a sample rate that makes no sense");
  }
  Sound sound{.rate_hz = info.samplerate, .samples = {}};
  const auto channels = static_cast<std::size_t>(info.channels);
  const auto longest = static_cast<std::size_t>(info.samplerate) * longest_seconds;
  std::vector<float> block(channels * 4096);
  for (;;) {
    const auto frames = static_cast<std::size_t>(sf_readf_float(file.get(), block.data(), 4096));
    if (frames == 0) break;
    for (std::size_t frame = 0; frame < frames; ++frame) {
      double sum = 0;
      for (std::size_t c = 0; c < channels; ++c) sum += block[frame * channels + c];
      sound.samples.push_back(to_sample(sum / static_cast<double>(channels)));
    }
    if (sound.samples.size() > longest) {
      return base::fail(base::ErrorCode::malformed, "sound length", path + " lasts over an hour");
    }
  }
  if (sound.samples.empty()) {
    return base::fail(base::ErrorCode::malformed, "sound length", path + " holds no sound");
  }
  return sound;
}

Sound at_rate_of(Sound sound, std::span<const int> rates_hz) {
  const auto enough = std::ranges::lower_bound(rates_hz, sound.rate_hz);
  const int to_hz = enough == rates_hz.end() ? rates_hz.back() : *enough;
  if (to_hz == sound.rate_hz) return sound;
  return {.rate_hz = to_hz, .samples = resampled(sound.samples, sound.rate_hz, to_hz)};
}

std::vector<std::int16_t> resampled(std::span<const std::int16_t> samples, int from_hz, int to_hz) {
  const double step = static_cast<double>(from_hz) / to_hz;
  // The transition band of this window is 0.17 of a Nyquist frequency wide; centred at 0.915 it
  // ends at the lower of the two, so that nothing folds back.
  const Kernel kernel(std::min(1.0, 1 / step) * 0.915);
  const auto count = static_cast<std::int64_t>(samples.size());
  const auto wanted = count * to_hz / from_hz;
  std::vector<std::int16_t> out(static_cast<std::size_t>(wanted));
  for (std::int64_t i = 0; i < wanted; ++i) {
    const double centre = static_cast<double>(i) * step;
    const auto first = static_cast<std::int64_t>(std::ceil(centre - kernel.reach()));
    const auto last = static_cast<std::int64_t>(std::floor(centre + kernel.reach()));
    double sum = 0;
    for (auto at = std::max<std::int64_t>(first, 0); at <= std::min(last, count - 1); ++at) {
      sum += samples[static_cast<std::size_t>(at)] * kernel.at(static_cast<double>(at) - centre);
    }
    out[static_cast<std::size_t>(i)] = to_sample(sum / 32768);
  }
  return out;
}

}  // namespace stagedoor::server
