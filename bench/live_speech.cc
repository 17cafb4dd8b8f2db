// What speaking and listening cost: the first sound and the pace of each built-in voice, a tick of
// a performance that speaks and of one that is silent, and the pace of recognition.
//
//   live_speech [rounds]
//
// SPDX-License-Identifier: Apache-2.0

#include <algorithm>
#include <array>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <string>
#include <vector>

#include "engines/espeak_speech.h"
#include "engines/flite_speech.h"
#include "engines/pocketsphinx_recognizer.h"
#include "stage/performance.h"

namespace {

using namespace stagedoor;
using Clock = std::chrono::steady_clock;

constexpr auto text = "Good morning, and welcome to the theatre, where something new is played.";

double millis_since(Clock::time_point begin) {
  return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

double median(std::vector<double> values) {
  std::ranges::nth_element(values, values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2));
  return values[values.size() / 2];
}

struct Spoken {
  double first_millis = 0, all_millis = 0;
  int rate_hz = 0;
  std::vector<std::int16_t> samples;
};

Spoken speak(stage::Speech& speech, const std::string& voice) {
  std::mutex mutex;
  std::condition_variable changed;
  bool has_ended = false;
  Spoken spoken;
  const auto begin = Clock::now();
  stage::SpeechRequest request;
  request.text = text;
  request.voice = voice;
  const auto job = speech.speak(request, [&](stage::SpeechEvent event) {
    const std::lock_guard lock(mutex);
    if (const auto* chunk = std::get_if<stage::SpeechChunk>(&event)) {
      if (spoken.samples.empty()) spoken.first_millis = millis_since(begin);
      spoken.rate_hz = chunk->rate_hz;
      spoken.samples.insert(spoken.samples.end(), chunk->samples.begin(), chunk->samples.end());
      return;
    }
    spoken.all_millis = millis_since(begin);
    has_ended = true;
    changed.notify_all();
  });
  std::unique_lock lock(mutex);
  changed.wait(lock, [&] { return has_ended; });
  return spoken;
}

void measure_voice(stage::Speech& speech, const std::string& voice, int rounds) {
  std::vector<double> first, pace;
  for (int i = 0; i < rounds; ++i) {
    const auto spoken = speak(speech, voice);
    if (spoken.samples.empty()) return;
    first.push_back(spoken.first_millis);
    pace.push_back(spoken.all_millis * spoken.rate_hz / 1000 /
                   static_cast<double>(spoken.samples.size()));
  }
  std::printf("%-8s first sound %6.1f ms, real-time factor %.4f\n", voice.c_str(), median(first),
              median(pace));
}

void measure_ticks(engines::FliteSpeech& speech) {
  const auto spoken = speak(speech, "slt");
  stage::Performance performance({});
  const auto utterance = performance.open(spoken.rate_hz);
  if (!performance.push(utterance, spoken.samples)) return;
  performance.close(utterance);
  std::array<std::int16_t, stage::tick_samples> sound{};
  int ticks = 0;
  auto begin = Clock::now();
  while (performance.is_busy()) {
    performance.next_sound(sound);
    if (++ticks % 2 == 0) performance.face();
  }
  std::printf("a tick of 20 ms: %.0f us speaking", millis_since(begin) * 1000 / ticks);
  begin = Clock::now();
  for (int i = 0; i < 2000; ++i) {
    performance.next_sound(sound);
    if (i % 2 == 0) performance.face();
  }
  std::printf(", %.2f us silent\n", millis_since(begin) * 1000 / 2000);
}

void measure_recognition(engines::FliteSpeech& speech) {
  const auto recognizer = engines::PocketSphinxRecognizer::open({});
  if (!recognizer) return;
  const auto spoken = speak(speech, "rms");
  std::mutex mutex;
  std::condition_variable changed;
  std::string heard;
  bool has_ended = false;
  const auto recognition = (*recognizer)->listen("en", [&](stage::RecognitionEvent event) {
    const std::lock_guard lock(mutex);
    if (const auto* words = std::get_if<stage::RecognizedText>(&event)) heard = words->text;
    has_ended = true;
    changed.notify_all();
  });
  recognition->push(spoken.samples);
  const auto begin = Clock::now();
  recognition->finish();
  std::unique_lock lock(mutex);
  changed.wait(lock, [&] { return has_ended; });
  const double seconds = static_cast<double>(spoken.samples.size()) / spoken.rate_hz;
  std::printf("recognition of %.1f s: %.0f ms, \"%s\"\n", seconds, millis_since(begin),
              heard.c_str());
}

}  // namespace

int main(int count, char** arguments) {
  const int rounds = count > 1 ? std::max(std::atoi(arguments[1]), 1) : 9;
  engines::FliteSpeech flite({});
  for (const auto* voice : {"slt", "rms", "awb", "kal"}) measure_voice(flite, voice, rounds);
  engines::EspeakSpeech espeak({});
  measure_voice(espeak, "en-gb", rounds);
  measure_ticks(flite);
  measure_recognition(flite);
}
