// Trains the network of src/stage/mouth_network.h on labelled speech and prints mouth_weights.cc.
//
//   train FOLDER EPOCHS > src/stage/mouth_weights.cc
//
// FOLDER holds NAME.wav and NAME.lab as bench/make-speech writes them. Every epoch hears each
// sentence anew: faster or slower, louder or softer, duller, noisier, with an echo or without the
// band over 4 kHz. Plain Adam on cross-entropy; the same seed and machine give the same weights.
//
// SPDX-License-Identifier: Apache-2.0

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <numeric>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "stage/ear.h"
#include "stage/mouth_network.h"
#include "stage/resampler.h"

namespace {

using namespace stagedoor::stage;
using network::hidden_size;
using network::moment_size;
using network::output_size;
using Random = std::mt19937;

struct Label {
  double start, end;
  Hold hold;
};
struct Sentence {
  int rate_hz = 16000;
  std::vector<std::int16_t> samples;
  std::vector<Label> labels;
};

// The hold of a sound, and for a diphthong that of its last part, from `turn` of its time on.
struct Holds {
  Hold first, last;
  double turn;
};
Holds holds_of(const std::string& phoneme) {
  static const std::map<std::string, Holds> table = [] {
    std::map<std::string, Holds> made;
    const auto all = [&](Hold hold, std::initializer_list<const char*> names) {
      for (const char* name : names) made[name] = {hold, hold, 1};
    };
    all(Hold::rest, {"pau", "h#", "brth"});
    all(Hold::pressed, {"p", "b", "m"});
    all(Hold::lip_on_teeth, {"f", "v"});
    all(Hold::tongue_out, {"th", "dh"});
    all(Hold::tongue_up, {"t", "d", "n", "l"});
    all(Hold::back, {"k", "g", "ng", "hh"});
    all(Hold::hiss, {"s", "z"});
    all(Hold::hush, {"sh", "zh", "ch", "jh"});
    all(Hold::curled, {"r", "er"});
    all(Hold::wide_open, {"aa", "ae"});
    all(Hold::neutral, {"ah"});
    all(Hold::half_spread, {"eh"});
    all(Hold::spread, {"ih", "iy", "y"});
    all(Hold::half_round, {"ao"});
    all(Hold::round, {"uw", "uh", "w"});
    made["ay"] = {Hold::wide_open, Hold::spread, 0.6};
    made["aw"] = {Hold::wide_open, Hold::round, 0.6};
    made["ey"] = {Hold::half_spread, Hold::spread, 0.5};
    made["ow"] = {Hold::half_round, Hold::round, 0.5};
    made["oy"] = {Hold::half_round, Hold::spread, 0.55};
    return made;
  }();
  const auto found = table.find(phoneme);
  if (found == table.end()) {
    std::fprintf(stderr, "unknown phoneme %s\n", phoneme.c_str());
    std::exit(1);
  }
  return found->second;
}

Sentence load(const std::filesystem::path& wav) {
  Sentence sentence;
  std::ifstream file(wav, std::ios::binary);
  std::vector<char> bytes((std::istreambuf_iterator<char>(file)), {});
  std::memcpy(&sentence.rate_hz, bytes.data() + 24, 4);
  sentence.samples.resize((bytes.size() - 44) / 2);
  std::memcpy(sentence.samples.data(), bytes.data() + 44, sentence.samples.size() * 2);
  auto path = wav;
  std::ifstream lines(path.replace_extension(".lab"));
  double start, end;
  std::string phoneme;
  while (lines >> start >> end >> phoneme) {
    const Holds holds = holds_of(phoneme);
    const double turn = start + (end - start) * holds.turn;
    sentence.labels.push_back({start, turn, holds.first});
    if (holds.turn < 1) sentence.labels.push_back({turn, end, holds.last});
  }
  return sentence;
}

double uniform(Random& random, double low, double high) {
  return low + (high - low) * (random() / 4294967296.0);
}

// What a network sees and what it should say, frame by frame.
struct Lesson {
  std::vector<std::array<float, band_count>> bands;
  std::vector<int> hold;
};

// Keeps what lies under about 3.6 kHz, as telephones and 8 kHz audio do.
void dull(std::vector<float>& samples) {
  constexpr int half = 24;
  std::array<float, 2 * half + 1> taps;
  for (int i = -half; i <= half; ++i) {
    const double x = 3.14159265358979 * i * 0.46;
    taps[i + half] = static_cast<float>((i ? std::sin(x) / x : 1) * 0.46 *
                                        (0.5 + 0.5 * std::cos(3.14159265358979 * i / (half + 1))));
  }
  std::vector<float> out(samples.size());
  for (int k = half; k + half < static_cast<int>(samples.size()); ++k) {
    float sum = 0;
    for (int i = -half; i <= half; ++i) sum += samples[k + i] * taps[i + half];
    out[k] = sum;
  }
  samples.swap(out);
}

void colour(std::vector<float>& samples, Random& random) {
  if (uniform(random, 0, 1) < 0.5) {  // A tilt of the spectrum, either way.
    const auto tilt = static_cast<float>(uniform(random, -0.45, 0.6));
    float before = 0;
    for (float& sample : samples) {
      const float now = sample;
      sample = now - tilt * before;
      before = now;
    }
  }
  if (uniform(random, 0, 1) < 0.25) {  // A room.
    const std::size_t near = 80 + random() % 400, far = 500 + random() % 900;
    const auto wet = static_cast<float>(uniform(random, 0.05, 0.25));
    for (std::size_t k = far; k < samples.size(); ++k) {
      samples[k] += wet * (0.7F * samples[k - near] + 0.5F * samples[k - far]);
    }
  }
  if (uniform(random, 0, 1) < 0.25) dull(samples);
}

void add_noise(std::vector<float>& samples, Random& random) {
  double power = 1e-12;
  for (const float sample : samples) power += sample * sample;
  const double ratio_db =
      uniform(random, 0, 1) < 0.4 ? uniform(random, 50, 80) : uniform(random, 10, 45);
  const double wanted = std::sqrt(power / samples.size()) * std::pow(10, -ratio_db / 20);
  const double keep = uniform(random, 0, 1) < 0.4 ? 0.0 : uniform(random, 0.5, 0.97);
  const double scale = wanted * std::sqrt(1 - keep * keep) * std::sqrt(3.0);
  double held = 0;
  for (float& sample : samples) {
    held = held * keep + uniform(random, -1, 1) * scale;
    sample += static_cast<float>(held);
  }
}

Lesson lesson_of(const Sentence& sentence, Random& random) {
  double speed = uniform(random, 0.84, 1.2);
  speed = std::clamp(speed, 8000.0 / sentence.rate_hz, 48000.0 / sentence.rate_hz);
  const int rate_hz = static_cast<int>(std::lround(sentence.rate_hz * speed));
  speed = static_cast<double>(rate_hz) / sentence.rate_hz;
  Resampler resampler(rate_hz);
  const std::size_t lead = uniform(random, 0, 1) < 0.5 ? 0 : random() % 8000;
  std::vector<float> heard(lead, 0.0F);
  resampler.push(sentence.samples, heard);
  heard.resize(heard.size() + 1600 + random() % 6400, 0.0F);
  colour(heard, random);
  add_noise(heard, random);
  float peak = 1e-6F;
  for (const float sample : heard) peak = std::max(peak, std::abs(sample));
  const double gain_db = uniform(random, -36, 3);  // The last three clip.
  const double gain = std::pow(10, gain_db / 20) / peak * 32767;
  std::vector<std::int16_t> samples(heard.size());
  for (std::size_t k = 0; k < heard.size(); ++k) {
    samples[k] = static_cast<std::int16_t>(std::clamp(heard[k] * gain, -32768.0, 32767.0));
  }
  Ear ear(16000);
  std::vector<Sound> sounds;
  ear.push(samples, sounds);
  Lesson lesson;
  std::size_t label = 0;
  for (std::size_t k = 0; k < sounds.size(); ++k) {
    lesson.bands.push_back(sounds[k].bands);
    const double time = (k * 0.01 - lead / 16000.0) * speed;
    while (label < sentence.labels.size() && sentence.labels[label].end <= time) ++label;
    const bool inside = label < sentence.labels.size() && sentence.labels[label].start <= time;
    lesson.hold.push_back(static_cast<int>(inside ? sentence.labels[label].hold : Hold::rest));
  }
  return lesson;
}

struct Network {
  std::vector<float> moment = std::vector<float>(network::moment_rows * moment_size);
  std::vector<float> hidden = std::vector<float>(network::hidden_rows * hidden_size);
  std::vector<float> output = std::vector<float>(network::output_rows * output_size);
};

void add(const float* inputs, std::size_t count, const float* row, std::size_t outputs,
         float* sums) {
  for (std::size_t r = 0; r < count; ++r, row += outputs) {
    for (std::size_t i = 0; i < outputs; ++i) sums[i] += inputs[r] * row[i];
  }
}

// Gradients of rows (added to) and of inputs (added to, unless null).
void back(const float* inputs, std::size_t count, const float* row, std::size_t outputs,
          const float* slope, float* row_slope, float* input_slope) {
  for (std::size_t r = 0; r < count; ++r, row += outputs, row_slope += outputs) {
    float sum = 0;
    for (std::size_t i = 0; i < outputs; ++i) {
      row_slope[i] += inputs[r] * slope[i];
      sum += row[i] * slope[i];
    }
    if (input_slope) input_slope[r] += sum;
  }
}

struct Score {
  double loss = 0;
  long frames = 0, right = 0;
};

// One lesson through the network and back.
struct Pupil {
  Network slope;
  Score score;

  void learn(const Network& net, const Lesson& lesson, const std::array<float, hold_count>& worth) {
    const int frames = static_cast<int>(lesson.bands.size());
    constexpr int pad = 16;
    std::vector<std::array<float, band_count>> bands(frames + 2 * pad);
    for (auto& frame : bands) frame.fill(-3);
    std::copy(lesson.bands.begin(), lesson.bands.end(), bands.begin() + pad);
    using Moment = std::array<float, moment_size>;
    std::vector<Moment> moments(bands.size()), moment_slopes(bands.size());
    for (std::size_t k = 1; k + 1 < bands.size(); ++k) {
      add(bands[k - 1].data(), 3 * band_count, net.moment.data(), moment_size, moments[k].data());
      for (std::size_t i = 0; i < moment_size; ++i) {
        moments[k][i] = std::max(
            0.0F, moments[k][i] + net.moment[(network::moment_rows - 1) * moment_size + i]);
      }
    }
    for (int k = 0; k < frames; ++k) {
      judge(net, k + pad, lesson.hold[k], worth[lesson.hold[k]], moments, moment_slopes);
    }
    for (std::size_t k = 1; k + 1 < bands.size(); ++k) {
      for (std::size_t i = 0; i < moment_size; ++i) {
        if (moments[k][i] <= 0) moment_slopes[k][i] = 0;
        slope.moment[(network::moment_rows - 1) * moment_size + i] += moment_slopes[k][i];
      }
      back(bands[k - 1].data(), 3 * band_count, net.moment.data(), moment_size,
           moment_slopes[k].data(), slope.moment.data(), nullptr);
    }
  }

 private:
  template <class Moments>
  void judge(const Network& net, int at, int wanted, float worth, const Moments& moments,
             Moments& moment_slopes) {
    std::array<float, hidden_size> hidden;
    const float* bias = &net.hidden[(network::hidden_rows - 1) * hidden_size];
    std::copy(bias, bias + hidden_size, hidden.begin());
    const float* row = net.hidden.data();
    for (const int offset : network::offsets) {
      add(moments[at + offset].data(), moment_size, row, hidden_size, hidden.data());
      row += moment_size * hidden_size;
    }
    for (float& value : hidden) value = std::max(value, 0.0F);
    std::array<float, output_size> chance;
    bias = &net.output[(network::output_rows - 1) * output_size];
    std::copy(bias, bias + output_size, chance.begin());
    add(hidden.data(), hidden_size, net.output.data(), output_size, chance.data());
    const float highest = *std::max_element(chance.begin(), chance.begin() + hold_count);
    float all = 0;
    for (std::size_t i = 0; i < hold_count; ++i) {
      chance[i] = std::exp(chance[i] - highest);
      all += chance[i];
    }
    chance[hold_count] = 0;
    for (float& value : chance) value /= all;
    score.loss -= std::log(std::max(chance[wanted], 1e-9F));
    score.right += std::max_element(chance.begin(), chance.end()) - chance.begin() == wanted;
    ++score.frames;
    chance[wanted] -= 1;
    for (float& value : chance) value *= worth;
    std::array<float, hidden_size> slopes{};
    back(hidden.data(), hidden_size, net.output.data(), output_size, chance.data(),
         slope.output.data(), slopes.data());
    for (std::size_t i = 0; i < output_size; ++i) {
      slope.output[(network::output_rows - 1) * output_size + i] += chance[i];
    }
    for (std::size_t i = 0; i < hidden_size; ++i) {
      if (hidden[i] <= 0) slopes[i] = 0;
      slope.hidden[(network::hidden_rows - 1) * hidden_size + i] += slopes[i];
    }
    std::size_t start = 0;
    for (const int offset : network::offsets) {
      back(moments[at + offset].data(), moment_size, &net.hidden[start], hidden_size, slopes.data(),
           &slope.hidden[start], moment_slopes[at + offset].data());
      start += moment_size * hidden_size;
    }
  }
};

struct Adam {
  std::vector<float> mean, square;
  long steps = 0;

  void step(std::vector<float>& weights, const std::vector<float>& slope, double rate) {
    mean.resize(weights.size());
    square.resize(weights.size());
    ++steps;
    const double scale = rate * std::sqrt(1 - std::pow(0.999, steps)) / (1 - std::pow(0.9, steps));
    for (std::size_t i = 0; i < weights.size(); ++i) {
      mean[i] += 0.1F * (slope[i] - mean[i]);
      square[i] += 0.001F * (slope[i] * slope[i] - square[i]);
      weights[i] -= static_cast<float>(scale * mean[i] / (std::sqrt(square[i]) + 1e-8));
      weights[i] -= static_cast<float>(rate * 1e-3) * weights[i];
    }
  }
};

void start_weights(std::vector<float>& layer, std::size_t rows, std::size_t outputs,
                   Random& random) {
  const double scale = std::sqrt(6.0 / static_cast<double>(rows - 1));
  for (std::size_t i = 0; i < (rows - 1) * outputs; ++i) {
    layer[i] = static_cast<float>(uniform(random, -scale, scale));
  }
}

void print(const Network& net) {
  std::string weights, steps;
  const auto print_layer = [&](const std::vector<float>& layer, std::size_t outputs) {
    std::vector<float> largest(outputs, 1e-6F);
    for (std::size_t i = 0; i < layer.size(); ++i) {
      largest[i % outputs] = std::max(largest[i % outputs], std::abs(layer[i]));
    }
    for (const float most : largest) {
      char text[32];
      std::snprintf(text, sizeof text, "%.6eF,", most / 127);
      steps += text;
    }
    for (std::size_t i = 0; i < layer.size(); ++i) {
      weights += std::to_string(std::lround(layer[i] / largest[i % outputs] * 127)) + ",";
    }
  };
  print_layer(net.moment, moment_size);
  print_layer(net.hidden, hidden_size);
  print_layer(net.output, output_size);
  const auto wrapped = [](const std::string& list) {
    std::string out;
    std::size_t start = 0, width = 100;
    while (start < list.size()) {
      const std::size_t end = list.find(',', start) + 1;
      if (width + end - start > 99) {
        out += out.empty() ? "   " : "\n   ";
        width = 3;
      }
      out += ' ';
      out.append(list, start, end - start);
      width += 1 + end - start;
      start = end;
    }
    return out + "\n";
  };
  std::printf(
      "// Generated by tools/train-motion; not for editing.\n"
      "//\n// SPDX-License-Identifier: Apache-2.0\n\n"
      "#include \"stage/mouth_network.h\"\n\nnamespace stagedoor::stage::network {\n\n"
      "// clang-format off\n"
      "extern const std::array<float, moment_size + hidden_size + output_size> steps = {\n%s};\n\n"
      "extern const std::array<std::int8_t, weight_count> weights = {\n%s};\n"
      "// clang-format on\n\n"
      "}  // namespace stagedoor::stage::network\n",
      wrapped(steps).c_str(), wrapped(weights).c_str());
}

}  // namespace

int main(int count, char** words) {
  if (count < 3) return 2;
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(words[1])) {
    if (entry.path().extension() == ".wav") paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  std::vector<Sentence> sentences;
  for (const auto& path : paths) sentences.push_back(load(path));
  Random random(7);
  Network net;
  start_weights(net.moment, network::moment_rows, moment_size, random);
  start_weights(net.hidden, network::hidden_rows, hidden_size, random);
  start_weights(net.output, network::output_rows, output_size, random);
  // What matters to the eye counts more: lips that meet, and teeth on the lip.
  std::array<float, hold_count> worth;
  worth.fill(1);
  worth[static_cast<int>(Hold::pressed)] = 1.6F;
  worth[static_cast<int>(Hold::lip_on_teeth)] = 1.3F;
  std::array<Adam, 3> adam;
  const int epochs = std::atoi(words[2]);
  std::vector<std::size_t> order(sentences.size());
  std::iota(order.begin(), order.end(), 0);
  constexpr std::size_t batch = 8, pupils = 2;
  const std::size_t batches = order.size() / batch;
  for (int epoch = 0; epoch < epochs; ++epoch) {
    std::shuffle(order.begin(), order.end(), random);
    Score total;
    for (std::size_t b = 0; b < batches; ++b) {
      std::array<Pupil, pupils> pupil;
      std::array<std::uint32_t, pupils> seeds;
      for (auto& seed : seeds) seed = static_cast<std::uint32_t>(random());
      const auto teach = [&](std::size_t p) {
        Random own(seeds[p]);
        for (std::size_t i = p; i < batch; i += pupils) {
          pupil[p].learn(net, lesson_of(sentences[order[b * batch + i]], own), worth);
        }
      };
      std::thread second(teach, 1);
      teach(0);
      second.join();
      Score score;
      for (const Pupil& one : pupil) {
        score.loss += one.score.loss;
        score.frames += one.score.frames;
        score.right += one.score.right;
      }
      const double progress = (epoch + static_cast<double>(b) / batches) / epochs;
      const double rate = 3e-3 * std::min(1.0, 20 * progress + 0.1) * (1 - progress) + 1e-5;
      const auto merge = [&](std::vector<float> Network::* layer, Adam& one) {
        std::vector<float> slope = pupil[0].slope.*layer;
        for (std::size_t i = 0; i < slope.size(); ++i) {
          slope[i] = (slope[i] + (pupil[1].slope.*layer)[i]) / static_cast<float>(score.frames);
        }
        one.step(net.*layer, slope, rate);
      };
      merge(&Network::moment, adam[0]);
      merge(&Network::hidden, adam[1]);
      merge(&Network::output, adam[2]);
      total.loss += score.loss;
      total.frames += score.frames;
      total.right += score.right;
    }
    std::fprintf(stderr, "epoch %d: loss %.4f, right %.4f, frames %ld\n", epoch + 1,
                 total.loss / total.frames, static_cast<double>(total.right) / total.frames,
                 total.frames);
  }
  print(net);
}
