// The sound and the face of a session, tick by tick: a queue of speech, its lips, and life between.
//
//   every 20 ms   next_sound(960 samples at 48 kHz)
//   every 40 ms   face(), after two of them: the picture for the sound that these two gave
//
// Faces come from the very samples that are sent: sound is played only
// once its faces are known, and each face describes a moment within 40 ms of the sound beside it.
//
// After interrupt() the next tick holds 5 ms of sound, fading, and
// then silence; the mouth is at rest within 200 ms, and head and eyes move on without a jump.
//
// What waits to be played is at most queued_bytes_max of samples in at
// most utterances_max utterances; what goes beyond is refused and nothing else is lost.
//
// Pure but for its state: no clock, no I/O. Not safe for concurrent use.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <vector>

#include "stage/face.h"
#include "stage/idle_life.h"

namespace stagedoor::stage {

inline constexpr int performance_rate_hz = 48000;
inline constexpr std::size_t tick_samples = 960;  // 20 ms

using UtteranceId = std::uint64_t;

// What has happened in the last tick.
struct PerformanceEvent {
  // `progressed` comes in every tick in which sound of the utterance was played.
  enum class Kind : unsigned char { began, progressed, ended };
  Kind kind;
  UtteranceId utterance;
  // Of the utterance's own samples (at its own rate): how many have been played.
  std::int64_t played_samples;
};

class Performance {
 public:
  struct Options {
    std::uint64_t seed = 0;
    std::size_t queued_bytes_max = 8u << 20;  // 4 minutes at 16 kHz
    std::size_t utterances_max = 64;
  };
  explicit Performance(Options options);
  ~Performance();
  Performance(const Performance&) = delete;
  Performance& operator=(const Performance&) = delete;

  // A further utterance behind those that wait. 0: too many wait. `rate_hz` 8000..48000.
  UtteranceId open(int rate_hz);
  // More of its sound; false, and nothing was taken, where it is gone or too much waits. Only the
  // last opened utterance should still be growing when its turn comes: it is played as far as it
  // goes, and silence bridges what comes late.
  [[nodiscard]] bool push(UtteranceId utterance, std::span<const std::int16_t> samples);
  // No more of it comes.
  void close(UtteranceId utterance);
  // Ends the utterance that plays and forgets those that wait; none of them has a further event.
  void interrupt();

  // The next 20 ms.
  void next_sound(std::span<std::int16_t, tick_samples> out);
  // The face for the sound of the last two ticks.
  Face face();
  // What happened since it was last asked, in order.
  std::vector<PerformanceEvent> take_events();

  // Whether an utterance is open, waits or plays.
  bool is_busy() const { return !queue_.empty(); }
  // Seconds of sound that wait.
  double queued_seconds() const;
  std::size_t held_bytes() const;

 private:
  struct Utterance;

  void speak(Utterance& utterance, std::span<std::int16_t> out);
  void fade(std::span<std::int16_t> out);

  const Options options_;
  UtteranceId last_id_ = 0;
  std::deque<std::unique_ptr<Utterance>> queue_;
  std::vector<PerformanceEvent> events_;
  IdleLife life_;
  Face mouth_;  // as the last face had it
  float stress_ = 0;
  std::vector<std::int16_t> fading_;
};

}  // namespace stagedoor::stage
