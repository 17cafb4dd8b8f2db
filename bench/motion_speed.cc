// How fast motion is, and how much memory an utterance holds, at each rate: motion_speed.
//
// One thread; per rate the best of five passes over 60 s of a made-up voice, pushed 20 ms at a
// time.
//
// SPDX-License-Identifier: Apache-2.0

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>

#include "stage/audio_input.h"
#include "stage/motion.h"

namespace {

// Something with pitch, formants that wander, hisses and pauses, so that no path is idle.
std::vector<std::int16_t> voice(int rate_hz, double seconds) {
  std::vector<std::int16_t> out(static_cast<std::size_t>(rate_hz * seconds));
  std::uint32_t state = 1;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const double time = static_cast<double>(i) / rate_hz;
    state = state * 1664525U + 1013904223U;
    const double hiss = static_cast<double>(state >> 8) / (1 << 23) - 1;
    const double syllable = std::max(0.0, std::sin(time * 2 * 3.14159 * 3.7));
    double tone = 0;
    for (int k = 1; k <= 12; ++k) {
      tone += std::sin(2 * 3.14159 * 120 * k * time) / (1 + std::abs(k - 5 - 3 * std::sin(time)));
    }
    const double pause = std::fmod(time, 4.0) > 3.5 ? 0 : 1;
    out[i] =
        static_cast<std::int16_t>(pause * (syllable * tone * 3500 + (1 - syllable) * hiss * 600));
  }
  return out;
}

}  // namespace

int main() {
  using namespace stagedoor::stage;
  constexpr double seconds = 60;
  for (const int rate_hz : pcm_rates_hz) {
    const auto samples = voice(rate_hz, seconds);
    const std::size_t piece = static_cast<std::size_t>(rate_hz) / 50;
    double best_s = 1e9;
    std::size_t held_bytes = 0, count = 0;
    for (int pass = 0; pass < 5; ++pass) {
      std::vector<Face> faces;
      const auto start = std::chrono::steady_clock::now();
      Motion motion(rate_hz, 1);
      for (std::size_t at = 0; at < samples.size(); at += piece) {
        motion.push(std::span(samples).subspan(at, std::min(piece, samples.size() - at)), faces);
      }
      motion.finish(faces);
      const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
      best_s = std::min(best_s, took.count());
      held_bytes = motion.held_bytes();
      count = faces.size();
    }
    const auto start = std::chrono::steady_clock::now();
    for (int k = 0; k < 100; ++k) Motion motion(rate_hz, static_cast<std::uint64_t>(k));
    const std::chrono::duration<double> making = std::chrono::steady_clock::now() - start;
    std::printf(
        "%5d Hz: %5.0f times real time on one core (%.2f us a face), %zu bytes held, "
        "%.0f us to begin\n",
        rate_hz, seconds / best_s, best_s / static_cast<double>(count) * 1e6, held_bytes,
        making.count() * 1e4);
  }
}
