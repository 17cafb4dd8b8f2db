// SPDX-License-Identifier: Apache-2.0

#include "stage/fallback_recognizer.h"

#include <algorithm>
#include <utility>

namespace stagedoor::stage {
namespace {

using Attempt = FallbackAttempt<RecognitionEvent>;
using Sound = std::shared_ptr<std::vector<std::int16_t>>;

constexpr std::size_t samples_max =
    static_cast<std::size_t>(recognition_length_max.count()) * listening_rate_hz;

// Marks the words of an engine that was not the first to be asked.
RecognitionSink as_stand_in(RecognitionSink sink) {
  return [sink = std::move(sink)](RecognitionEvent event) {
    if (auto* const text = std::get_if<RecognizedText>(&event)) text->is_by_stand_in = true;
    sink(std::move(event));
  };
}

Attempt::Ask hearing(Recognizer& engine, std::string language, Sound sound, bool is_first) {
  return [&engine, language = std::move(language), sound = std::move(sound),
          is_first](RecognitionSink told) {
    auto recognition =
        engine.listen(language, is_first ? std::move(told) : as_stand_in(std::move(told)));
    recognition->push(*sound);
    recognition->finish();
    return recognition;
  };
}

class FallbackRecognition : public Recognition {
 public:
  FallbackRecognition(Attempt::Parts parts, Sound sound, RecognitionSink sink)
      : parts_(std::move(parts)), sound_(std::move(sound)), sink_(std::move(sink)) {}

  void push(std::span<const std::int16_t> samples) override {
    if (job_) return;
    const auto heard = samples.first(std::min(samples.size(), samples_max - sound_->size()));
    sound_->insert(sound_->end(), heard.begin(), heard.end());
  }
  void finish() override {
    if (!job_) job_ = Attempt::start(std::move(parts_), std::move(sink_));
  }

 private:
  Attempt::Parts parts_;
  Sound sound_;
  RecognitionSink sink_;
  std::unique_ptr<Job> job_;
};

// Hears nothing.
class NoRecognition : public Recognition {
 public:
  void push(std::span<const std::int16_t>) override {}
  void finish() override {}
};

}  // namespace

FallbackRecognizer::FallbackRecognizer(std::vector<Recognizer*> engines, EngineFailed failed)
    : engines_(std::move(engines)), failed_(std::move(failed)) {}

bool FallbackRecognizer::understands(const std::string& language) const {
  return std::ranges::any_of(engines_,
                             [&](const auto* engine) { return engine->understands(language); });
}

std::unique_ptr<Recognition> FallbackRecognizer::listen(std::string language,
                                                        RecognitionSink sink) {
  auto sound = std::make_shared<std::vector<std::int16_t>>();
  Attempt::Parts parts{.engines = {},
                       .has_begun =
                           [](const RecognitionEvent& event) {
                             return std::holds_alternative<RecognizedText>(event);
                           },
                       .failed = failed_};
  for (auto* const engine : engines_)
    if (engine->understands(language))
      parts.engines.push_back(hearing(*engine, language, sound, parts.engines.empty()));
  if (parts.engines.empty()) {
    sink(base::Error{base::ErrorCode::unsupported, "no recogniser knows this language", {}});
    return std::make_unique<NoRecognition>();
  }
  return std::make_unique<FallbackRecognition>(std::move(parts), std::move(sound), std::move(sink));
}

}  // namespace stagedoor::stage
