// Whether the time that something takes tells one class of inputs from another, by the method of
// dudect (Reparaz, Balasch, Verbauwhede 2017): both measured in random order, the slow tail cut
// off, Welch's t-test.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <functional>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace stagedoor::server::for_test {

// dudect calls 5 very likely a leak; a machine that does other things as well needs more room.
inline constexpr double t_most = 10;

struct Sum {
  double count = 0, mean = 0, squares = 0;
  void add(double value) {
    ++count;
    const auto from_mean = value - mean;
    mean += from_mean / count;
    squares += from_mean * (value - mean);
  }
  double error() const { return squares / (count - 1) / count; }
};

using Make = std::function<std::string(std::mt19937_64&)>;

// What is measured: one input, given to whatever is said to tell nothing.
struct Trial {
  std::size_t samples;  // of each class
  std::size_t bytes;    // each input has so many at most; they lie side by side, so that no class
                        // has the better place in memory
  std::function<void(std::string_view)> act;
};

inline double t_of(const Trial& trial, const Make& one, const Make& other, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  struct Input {
    bool is_other;
    std::size_t length;
  };
  std::vector<Input> inputs(2 * trial.samples);
  std::vector<char> texts(inputs.size() * trial.bytes);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const bool is_other = random() % 2 == 0;
    const auto text = (is_other ? other : one)(random).substr(0, trial.bytes);
    inputs[i] = {is_other, text.size()};
    std::ranges::copy(text, texts.begin() + static_cast<std::ptrdiff_t>(i * trial.bytes));
  }
  std::vector<double> times;
  times.reserve(inputs.size());
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const std::string_view text(texts.data() + i * trial.bytes, inputs[i].length);
    const auto began = std::chrono::steady_clock::now();
    trial.act(text);
    const auto ended = std::chrono::steady_clock::now();
    times.push_back(std::chrono::duration<double, std::nano>(ended - began).count());
  }
  auto sorted = times;
  const auto cut = sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() * 9 / 10);
  std::ranges::nth_element(sorted, cut);
  Sum sums[2];
  for (std::size_t i = 0; i < times.size(); ++i)
    if (times[i] < *cut) sums[inputs[i].is_other ? 1 : 0].add(times[i]);
  return (sums[0].mean - sums[1].mean) / std::sqrt(sums[0].error() + sums[1].error());
}

// The least of a few: chance and the machine must fail each time to fail the test.
inline double least_t_of(const Trial& trial, const Make& one, const Make& other) {
  constexpr int repeats = 3;
  double least = INFINITY;
  for (int i = 0; i < repeats && least > t_most; ++i)
    least = std::min(least, std::abs(t_of(trial, one, other, 7 + static_cast<std::uint64_t>(i))));
  return least;
}

inline Make one_of(const std::vector<std::string>& texts) {
  return [&texts](std::mt19937_64& random) { return texts[random() % texts.size()]; };
}

}  // namespace stagedoor::server::for_test
