// Says when a person spoke which sound, given synthesised readings of the same words.
//
//   align_speech RECORDING.wav READING.wav...      (each reading has its READING.lab)
//
// Bends each reading's time to the recording's (dynamic time warping over the bands of
// stage/ear.h, each less its mean) and prints the recording's .lab. Where no majority of readings
// agrees on the sound the label is "?". Good to a few hundredths of a second, so figures on such
// labels are lower than the truth; bench/make-speech --recordings uses it.
//
// SPDX-License-Identifier: Apache-2.0

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "stage/ear.h"

namespace {

using namespace stagedoor::stage;
using Bands = std::vector<std::array<float, band_count>>;

Bands listen(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  const std::vector<char> bytes((std::istreambuf_iterator<char>(file)), {});
  if (bytes.size() < 44) return {};
  int rate_hz = 0;
  std::memcpy(&rate_hz, bytes.data() + 24, 4);
  std::vector<std::int16_t> samples((bytes.size() - 44) / 2);
  std::memcpy(samples.data(), bytes.data() + 44, samples.size() * 2);
  Ear ear(rate_hz);
  std::vector<Sound> sounds;
  ear.push(samples, sounds);
  ear.push_silence(4 * hop_samples + window_samples, sounds);
  Bands bands;
  std::array<float, band_count> mean{};
  for (const Sound& sound : sounds) {
    bands.push_back(sound.bands);
    for (std::size_t i = 0; i < band_count; ++i) {
      mean[i] += sound.bands[i] / static_cast<float>(sounds.size());
    }
  }
  for (auto& frame : bands) {
    for (std::size_t i = 0; i < band_count; ++i) frame[i] -= mean[i];
  }
  return bands;
}

// For each frame of `one`, the frame of `other` that it goes with.
std::vector<std::size_t> align(const Bands& one, const Bands& other) {
  const std::size_t rows = one.size(), columns = other.size();
  constexpr float askew = 1.15F;  // What a step that keeps one of the two waiting costs more.
  std::vector<float> cost(rows * columns, std::numeric_limits<float>::infinity());
  std::vector<char> from(rows * columns, 'd');
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t c = 0; c < columns; ++c) {
      float apart = 0;
      for (std::size_t i = 0; i < band_count; ++i) {
        apart += (one[r][i] - other[c][i]) * (one[r][i] - other[c][i]);
      }
      apart = std::sqrt(apart) + 0.1F;
      float& here = cost[r * columns + c];
      if (r == 0 && c == 0) here = apart;
      const auto try_from = [&](float before, float weight, char way) {
        if (before + weight * apart < here) {
          here = before + weight * apart;
          from[r * columns + c] = way;
        }
      };
      if (r > 0 && c > 0) try_from(cost[(r - 1) * columns + c - 1], 1.4F, 'd');
      if (r > 0) try_from(cost[(r - 1) * columns + c], askew, 'r');
      if (c > 0) try_from(cost[r * columns + c - 1], askew, 'c');
    }
  }
  std::vector<std::size_t> with(rows);
  for (std::size_t r = rows - 1, c = columns - 1;;) {
    with[r] = c;
    if (r == 0 && c == 0) break;
    const char way = from[r * columns + c];
    if (way != 'c') --r;
    if (way != 'r') --c;
  }
  return with;
}

// The phoneme of each 10 ms.
std::vector<std::string> read_labels(std::filesystem::path path, std::size_t frames) {
  std::ifstream lines(path.replace_extension(".lab"));
  std::vector<std::string> out(frames, "pau");
  double start = 0, end = 0;
  std::string phoneme;
  while (lines >> start >> end >> phoneme) {
    for (auto k = static_cast<std::size_t>(std::ceil(start * 100)); k < frames; ++k) {
      if (static_cast<double>(k) >= end * 100) break;
      out[k] = phoneme;
    }
  }
  return out;
}

}  // namespace

int main(int count, char** words) {
  if (count < 3) return 2;
  const Bands recording = listen(words[1]);
  if (recording.empty()) return 1;
  std::vector<std::map<std::string, int>> votes(recording.size());
  for (int i = 2; i < count; ++i) {
    const Bands reading = listen(words[i]);
    const auto labels = read_labels(words[i], reading.size());
    const auto with = align(recording, reading);
    for (std::size_t k = 0; k < recording.size(); ++k) ++votes[k][labels[with[k]]];
  }
  std::string before;
  double start = 0;
  const auto print = [&](double end) {
    if (end > start) std::printf("%.3f %.3f %s\n", start, end, before.c_str());
    start = end;
  };
  for (std::size_t k = 0; k < recording.size(); ++k) {
    std::string now = "?";
    for (const auto& [phoneme, times] : votes[k]) {
      if (2 * times > count - 2) now = phoneme;
    }
    if (now == before) continue;
    print(static_cast<double>(k) / 100);
    before = now;
  }
  print(static_cast<double>(recording.size()) / 100);
}
