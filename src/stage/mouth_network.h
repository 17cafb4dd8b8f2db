// Which of fifteen ways of holding the mouth is heard, every 10 ms: a small trained network.
//
// Two layers see one moment (30 ms) and then a stretch of it (110 ms ahead and 150 ms behind); a
// third gives the chances. Its weights are in mouth_weights.cc, made by tools/train-motion. It
// holds a few kilobytes of one utterance. Sums run in a fixed order. Not safe for concurrent use.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "stage/ear.h"

namespace stagedoor::stage {

// Ways of holding the mouth, and the speech sounds (ARPAbet) that are made so.
enum class Hold : unsigned char {
  rest,          // silence
  pressed,       // p b m
  lip_on_teeth,  // f v
  tongue_out,    // th dh
  tongue_up,     // t d n l
  back,          // k g ng hh
  hiss,          // s z
  hush,          // sh zh ch jh
  curled,        // r er
  wide_open,     // aa ae, the first part of ay aw
  neutral,       // ah
  half_spread,   // eh, the first part of ey
  spread,        // ih iy y, the last part of ay ey oy
  half_round,    // ao, the first part of ow oy
  round,         // uw uh w, the last part of ow aw
};
inline constexpr std::size_t hold_count = 15;

struct Heard {
  std::array<float, hold_count> chance{};  // Together 1.
  float loudness_db = -100;
  float level_db = -48;

  float operator[](Hold hold) const { return chance[static_cast<std::size_t>(hold)]; }
};

// The network's form, shared with its training.
namespace network {
inline constexpr std::size_t moment_frames = 3;
inline constexpr std::size_t moment_size = 24;
inline constexpr std::array offsets = {-14, -10, -7, -5, -3, -1, 0, 1, 3, 5, 7, 10};
inline constexpr std::size_t ahead = 11;  // frames: the last offset, and the moment around it
inline constexpr std::size_t hidden_size = 64;
inline constexpr std::size_t output_size = 16;  // One spare, to keep rows of a multiple of four.

// Each layer: rows of inputs, then one row of biases; a row has one weight for each output.
inline constexpr std::size_t moment_rows = moment_frames * band_count + 1;
inline constexpr std::size_t hidden_rows = offsets.size() * moment_size + 1;
inline constexpr std::size_t output_rows = hidden_size + 1;
inline constexpr std::size_t weight_count =
    moment_rows * moment_size + hidden_rows * hidden_size + output_rows * output_size;

extern const std::array<std::int8_t, weight_count> weights;
// What a step of the weights is worth: one for each output of each layer.
extern const std::array<float, moment_size + hidden_size + output_size> steps;
}  // namespace network

class MouthNetwork {
 public:
  // Takes frame k; returns whether frame k - network::ahead is now heard. Before frame 0 lies
  // silence.
  bool push(const Sound& sound);

  // The frame that the last push completed.
  const Heard& heard() const { return heard_; }

 private:
  static constexpr std::size_t kept = 32;  // A power of two, more than the stretch.
  using Moment = std::array<float, network::moment_size>;

  void see_moment();
  void judge();

  std::array<Sound, kept> sounds_{};
  std::array<Moment, kept> moments_{};
  Moment silence_{};
  std::size_t pushed_ = 0;
  Heard heard_;
};

}  // namespace stagedoor::stage
