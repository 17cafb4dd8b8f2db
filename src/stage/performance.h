// The sound and the face of a session, tick by tick: a queue of speech, its lips, and life between.
//
//   every 20 ms   next_sound(960 samples at 48 kHz)
//   every 40 ms   face(), after two of them: the picture for the sound that these two gave
//
// Rule lips-by-the-samples: faces come from the very samples that are sent: sound is played only
// once its faces are known, and each face describes a moment within 40 ms of the sound beside it.
//
// Rule interruption-stops-sound: after interrupt() the next tick holds 5 ms of sound, fading, and
// then silence; the mouth is at rest within 200 ms, and head and eyes move on without a jump.
//
// Rule performance-bounded: what waits to be played is at most queued_bytes_max of samples in at
// most utterances_max utterances; what goes beyond is refused and nothing else is lost.
//
// Pure but for its state: no clock, no I/O. Not safe for concurrent use.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "stage/face.h"
#include "stage/idle_life.h"
#include "stage/lip_motion.h"

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
  // More of its sound; false, and nothing was taken, where it is gone or closed or too much waits.
  // One that still grows when its turn comes is played as far as it goes, less the 200 ms that its
  // lips look ahead, and silence bridges what comes late.
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
  // Sound that waits, all utterances together.
  std::chrono::milliseconds queued() const;
  std::size_t held_bytes() const;

 private:
  class Utterance;

  Utterance* find(UtteranceId utterance);
  void play(Utterance& utterance, std::span<std::int16_t, tick_samples> out);
  void note(PerformanceEvent::Kind kind, const Utterance& utterance);

  const Options options_;
  UtteranceId last_id_ = 0;
  std::deque<std::unique_ptr<Utterance>> queue_;
  std::vector<PerformanceEvent> events_;
  std::vector<std::int16_t> fading_;  // The sound after which an interruption is silent.
  IdleLife life_;
  // The mouth that the last tick's sound has, if it has one, and the mouth as it was last shown.
  std::optional<LipFrame> wanted_;
  LipFrame shown_;
};

}  // namespace stagedoor::stage
