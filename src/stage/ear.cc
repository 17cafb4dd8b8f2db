// SPDX-License-Identifier: Apache-2.0

#include "stage/ear.h"

#include <algorithm>

namespace stagedoor::stage {
namespace {

constexpr float quietest_level_db = -48;
constexpr float attack_share = 0.5F;  // Of the way to a louder frame, each frame.
constexpr float release_db = 0.05F;   // Each frame.
// A strong vowel's middle bands lie about here under its level.
constexpr float usual_band_db = -25;
constexpr float band_scale_db = 15;

}  // namespace

Ear::Ear(int rate_hz) : resampler_(rate_hz), level_db_(quietest_level_db) {}

void Ear::push(std::span<const std::int16_t> samples, std::vector<Sound>& out) {
  constexpr std::size_t at_once = 1024;  // Bounds the memory kept, whatever the caller pushes.
  while (!samples.empty()) {
    const std::size_t count = std::min(samples.size(), at_once);
    resampled_.clear();
    resampler_.push(samples.first(count), resampled_);
    for (const float sample : resampled_) take(sample, out);
    samples = samples.subspan(count);
  }
}

void Ear::push_silence(std::size_t samples, std::vector<Sound>& out) {
  for (std::size_t i = 0; i < samples; ++i) take(0, out);
}

void Ear::take(float sample, std::vector<Sound>& out) {
  window_[filled_++] = sample;
  if (filled_ < window_samples) return;
  analyse(out);
  std::copy(window_.begin() + hop_samples, window_.end(), window_.begin());
  filled_ = window_samples - hop_samples;
}

void Ear::analyse(std::vector<Sound>& out) {
  const Spectrum now = spectrum_of(window_);
  waiting_[spectra_ % waiting_.size()] = now;
  ++spectra_;
  level_db_ = std::max(level_db_ - release_db, quietest_level_db);
  if (now.loudness_db > level_db_) level_db_ += attack_share * (now.loudness_db - level_db_);
  if (spectra_ <= level_ahead) return;
  const Spectrum& past = waiting_[(spectra_ - 1 - level_ahead) % waiting_.size()];
  Sound sound;
  for (std::size_t i = 0; i < band_count; ++i) {
    const float relative = (past.bands_db[i] - level_db_ - usual_band_db) / band_scale_db;
    sound.bands[i] = std::clamp(relative, -3.0F, 2.5F);
  }
  sound.loudness_db = past.loudness_db;
  sound.level_db = level_db_;
  out.push_back(sound);
}

std::size_t Ear::held_bytes() const {
  return resampler_.held_bytes() + resampled_.capacity() * sizeof(float);
}

}  // namespace stagedoor::stage
