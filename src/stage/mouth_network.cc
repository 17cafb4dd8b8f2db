// SPDX-License-Identifier: Apache-2.0

#include "stage/mouth_network.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <span>

namespace stagedoor::stage {
namespace {

using network::hidden_size;
using network::moment_size;
using network::output_size;

// The weights unpacked; made once, never changed.
struct Layers {
  std::array<float, network::moment_rows * moment_size> moment;
  std::array<float, network::hidden_rows * hidden_size> hidden;
  std::array<float, network::output_rows * output_size> output;
};

Layers unpack() {
  Layers layers;
  const std::int8_t* weight = network::weights.data();
  const float* step = network::steps.data();
  const auto take = [&](auto& layer, std::size_t outputs) {
    for (std::size_t i = 0; i < layer.size(); ++i) layer[i] = weight[i] * step[i % outputs];
    weight += layer.size();
    step += outputs;
  };
  take(layers.moment, moment_size);
  take(layers.hidden, hidden_size);
  take(layers.output, output_size);
  return layers;
}

const Layers& layers() {
  static const Layers made = unpack();
  return made;
}

// Adds inputs times rows to `sums`; returns the row after them.
template <std::size_t outputs>
const float* add(std::span<const float> inputs, const float* row,
                 std::array<float, outputs>& sums) {
  for (const float input : inputs) {
    for (std::size_t i = 0; i < outputs; ++i) sums[i] += input * row[i];
    row += outputs;
  }
  return row;
}

// Adds the biases in the last row and cuts off below zero.
template <std::size_t outputs>
void finish_layer(const float* row, std::array<float, outputs>& sums) {
  for (std::size_t i = 0; i < outputs; ++i) sums[i] = std::max(sums[i] + row[i], 0.0F);
}

}  // namespace

bool MouthNetwork::push(const Sound& sound) {
  if (pushed_ == 0) {
    for (Sound& before : sounds_) before.bands.fill(-3);
    see_moment();
    silence_ = moments_[(pushed_ + kept - 1) % kept];
    moments_.fill(silence_);
  }
  sounds_[pushed_ % kept] = sound;
  see_moment();
  ++pushed_;
  if (pushed_ <= network::ahead) return false;
  judge();
  return true;
}

// The moment around the last frame but one, which the newest frame completes.
void MouthNetwork::see_moment() {
  const float* row = layers().moment.data();
  Moment sums{};
  for (std::size_t back = network::moment_frames; back-- > 0;) {
    row = add<moment_size>(sounds_[(pushed_ + kept - back) % kept].bands, row, sums);
  }
  finish_layer(row, sums);
  moments_[(pushed_ + kept - 1) % kept] = sums;
}

void MouthNetwork::judge() {
  const std::size_t frame = pushed_ - 1 - network::ahead;
  const float* row = layers().hidden.data();
  std::array<float, hidden_size> hidden{};
  for (const int offset : network::offsets) {
    row = add<hidden_size>(moments_[(frame + kept + offset) % kept], row, hidden);
  }
  finish_layer(row, hidden);
  std::array<float, output_size> sums{};
  row = add<output_size>(hidden, layers().output.data(), sums);
  float highest = -1e30F;
  for (std::size_t i = 0; i < hold_count; ++i) {
    sums[i] += row[i];
    highest = std::max(highest, sums[i]);
  }
  float all = 0;
  for (std::size_t i = 0; i < hold_count; ++i) {
    heard_.chance[i] = std::exp(sums[i] - highest);
    all += heard_.chance[i];
  }
  for (float& chance : heard_.chance) chance /= all;
  heard_.loudness_db = sounds_[frame % kept].loudness_db;
  heard_.level_db = sounds_[frame % kept].level_db;
}

}  // namespace stagedoor::stage
