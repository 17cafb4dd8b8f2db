// Listening: is there a voice, when has it begun and ended, and what did it say.
//
// All of it works on mono sound at 16 kHz (stage/resampler.h brings it there).
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>

#include "base/result.h"
#include "stage/job.h"

namespace stagedoor::stage {

inline constexpr int listening_rate_hz = 16000;
inline constexpr std::size_t voice_frame_samples = 160;  // 10 ms

// Tells a voice from other sound, 10 ms at a time. Of one listener. Not safe for concurrent use.
class VoiceDetector {
 public:
  virtual ~VoiceDetector() = default;
  virtual bool hears_voice(std::span<const std::int16_t, voice_frame_samples> frame) = 0;
};
using VoiceDetectorFactory = std::function<std::unique_ptr<VoiceDetector>()>;

// When speech begins and ends, from whether each 10 ms hold a voice.
//
// Rule speech-onset: speech has begun once 6 of the last 8 frames hold a voice; so a click or a
// cough of less than 60 ms interrupts nobody, and a voice is noticed within 80 ms.
//
// Rule speech-end-by-sensitivity: speech has ended after a silence of 1.4 s at sensitivity 0, 0.8 s
// at 0.5 and 0.2 s at 1, and after no more than the longest silence that the settings allow.
//
// Not safe for concurrent use.
class VoiceActivity {
 public:
  struct Options {
    double end_of_speech_sensitivity = 0.5;       // 0..1
    std::chrono::milliseconds silence_max{5000};  // 500..10,000
  };
  enum class Change : unsigned char { begun, ended };

  explicit VoiceActivity(Options options);
  // Keeps what it has heard.
  void set(Options options);

  std::optional<Change> push(bool is_voice);
  bool is_speaking() const { return is_speaking_; }
  // The silence that ends speech.
  std::chrono::milliseconds end_silence() const { return end_silence_; }

 private:
  std::chrono::milliseconds end_silence_;
  unsigned recent_ = 0;  // the last 8 frames, newest lowest
  int silent_frames_ = 0;
  bool is_speaking_ = false;
};

// Of one utterance: sound in, words out.
inline constexpr std::chrono::seconds recognition_length_max{60};

struct RecognizedText {
  std::string text;             // empty: no words were understood
  bool is_by_stand_in = false;  // Another engine was asked before, and failed.
};
// One event, the last. Error: as stage/speech.h has it.
using RecognitionEvent = std::variant<RecognizedText, base::Error>;
// Called on any thread, also before `finish` has returned; must not block.
using RecognitionSink = std::function<void(RecognitionEvent)>;

// Not safe for concurrent use.
class Recognition : public Job {
 public:
  // The next samples; what goes beyond recognition_length_max is not heard.
  virtual void push(std::span<const std::int16_t> samples) = 0;
  // The utterance is over: the sink gets its text.
  virtual void finish() = 0;
};

// Safe for concurrent use. Never blocks its caller. Must live longer than its recognitions.
class Recognizer {
 public:
  virtual ~Recognizer() = default;
  // `language` is ISO 639-1; empty: whatever the engine takes it for.
  [[nodiscard]] virtual std::unique_ptr<Recognition> listen(std::string language,
                                                            RecognitionSink sink) = 0;
  // From memory.
  virtual bool understands(const std::string& language) const = 0;
};

}  // namespace stagedoor::stage
