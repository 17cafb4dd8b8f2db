// SPDX-License-Identifier: Apache-2.0

#include "stage/fallback_speech.h"

#include <mutex>
#include <utility>

namespace stagedoor::stage {
namespace {

struct Candidate {
  Speech* engine;
  SpeechRequest request;
};

// One request on its way through the engines. Held by its job, and weakly by the engines' sinks.
class Attempt : public std::enable_shared_from_this<Attempt> {
 public:
  Attempt(std::vector<Candidate> candidates, SpeechSink sink)
      : candidates_(std::move(candidates)), sink_(std::move(sink)) {}

  void start(std::size_t index) {
    auto& candidate = candidates_[index];
    // Each engine's events are told from those of the one before by its index.
    auto job = candidate.engine->speak(std::move(candidate.request),
                                       [weak = weak_from_this(), index](SpeechEvent event) {
                                         if (const auto attempt = weak.lock())
                                           attempt->on_event(index, std::move(event));
                                       });
    const std::lock_guard lock(mutex_);
    // It may have failed before it was there to be kept.
    if (current_ == index) job_ = std::move(job);
  }

 private:
  void on_event(std::size_t index, SpeechEvent event) {
    bool is_next = false;
    std::unique_ptr<Job> failed;  // Ends outside the lock.
    {
      const std::lock_guard lock(mutex_);
      if (index != current_) return;
      const bool is_failure = std::holds_alternative<base::Error>(event);
      has_sound_ |= std::holds_alternative<SpeechChunk>(event);
      is_next = is_failure && !has_sound_ && index + 1 < candidates_.size();
      if (is_next) {
        ++current_;
        failed = std::move(job_);
      }
    }
    if (is_next) return start(index + 1);
    sink_(std::move(event));
  }

  std::vector<Candidate> candidates_;
  SpeechSink sink_;
  std::mutex mutex_;
  std::size_t current_ = 0;
  bool has_sound_ = false;
  std::unique_ptr<Job> job_;
};

class FallbackJob : public Job {
 public:
  explicit FallbackJob(std::shared_ptr<Attempt> attempt) : attempt_(std::move(attempt)) {}

 private:
  std::shared_ptr<Attempt> attempt_;
};

}  // namespace

FallbackSpeech::FallbackSpeech(std::vector<Speech*> engines) {
  for (auto* speech : engines) {
    auto& engine = engines_.emplace_back(speech);
    for (auto& voice : speech->voices()) engine.voices.insert(std::move(voice.name));
  }
}

bool FallbackSpeech::can_speak(const std::string& voice, const std::string& language) const {
  for (const auto& engine : engines_)
    if (engine.speech->can_speak(voice, language)) return true;
  return false;
}

std::unique_ptr<Job> FallbackSpeech::speak(SpeechRequest request, SpeechSink sink) {
  std::vector<Candidate> candidates;
  for (const bool is_own : {true, false})
    for (const auto& [speech, voices] : engines_)
      if (voices.contains(request.voice) == is_own &&
          speech->can_speak(request.voice, request.language))
        candidates.push_back({speech, request});
  // Behind those that have the voice, those that have at least the language.
  for (const auto& [speech, voices] : engines_) {
    if (speech->can_speak(request.voice, request.language) ||
        !speech->can_speak({}, request.language))
      continue;
    auto& candidate = candidates.emplace_back(speech, request);
    candidate.request.voice.clear();
  }
  if (candidates.empty()) {
    sink(base::Error{base::ErrorCode::unsupported, "no engine has this voice and language", {}});
    return std::make_unique<Job>();
  }
  auto attempt = std::make_shared<Attempt>(std::move(candidates), std::move(sink));
  attempt->start(0);
  return std::make_unique<FallbackJob>(std::move(attempt));
}

}  // namespace stagedoor::stage
