// Text to sound, as it is made: what a live face needs of a speech engine.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "base/result.h"
#include "stage/job.h"

namespace stagedoor::stage {

// Of one request: about half a minute of speech.
inline constexpr std::size_t speech_text_bytes_max = 2000;

struct SpeechRequest {
  std::string text;      // UTF-8, a sentence or a few, at most speech_text_bytes_max
  std::string voice;     // the engine's own name of it; empty: the engine's default
  std::string language;  // ISO 639-1; empty: the voice's own
  double speed = 1;      // 0.5..2 times the voice's own pace
};

// When a stretch of the text, or one sound of it, is heard.
struct SpeechMark {
  enum class Kind : unsigned char { word, phoneme };
  Kind kind = Kind::word;
  // Counted from the request's first sample. Words come in the order of the text.
  std::int64_t begin_sample = 0, end_sample = 0;
  // Bytes of the request's text: a word with its punctuation. Both 0 for a phoneme.
  std::size_t text_begin = 0, text_end = 0;
  std::string phoneme;  // the engine's own name of it; empty for a word
};

// The next mono samples. Of one request all chunks have one rate, 8000..48000. A mark comes with a
// chunk that is not later than the sound that it speaks of; an engine that knows no times gives
// none.
struct SpeechChunk {
  int rate_hz = 0;
  std::vector<std::int16_t> samples;
  std::vector<SpeechMark> marks;
};
struct SpeechEnd {};

// After SpeechEnd or an Error nothing more comes. Error: `unsupported` for a voice or language that
// the engine hasn't, `malformed` for the text, `unavailable` for trouble or time-out,
// `rate_limited` while too many requests wait.
using SpeechEvent = std::variant<SpeechChunk, SpeechEnd, base::Error>;

// Called on any thread, one call at a time, also before `speak` has returned; must not block.
using SpeechSink = std::function<void(SpeechEvent)>;

// A voice that an engine has.
struct SpeechVoice {
  std::string name;      // the engine's own name of it, as a request says it
  std::string title;     // for people
  std::string language;  // "en-us"
  enum class Gender : unsigned char { neutral, male, female };
  Gender gender = Gender::neutral;
};

// Safe for concurrent use. Never blocks its caller. Must live longer than its jobs.
class Speech {
 public:
  virtual ~Speech() = default;
  [[nodiscard]] virtual std::unique_ptr<Job> speak(SpeechRequest request, SpeechSink sink) = 0;
  // Whether a request with this voice and language could be played; from memory.
  virtual bool can_speak(const std::string& voice, const std::string& language) const = 0;
  // Those that it can name; it may speak others. From memory.
  virtual std::vector<SpeechVoice> voices() const { return {}; }
};

}  // namespace stagedoor::stage
