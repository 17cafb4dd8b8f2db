// Engines that do as a test tells them, and a conversation around them.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "stage/conversation.h"

namespace stagedoor::stage {

// Knows whether it is still wanted.
class WatchedJob : public Job {
 public:
  explicit WatchedJob(std::shared_ptr<bool> is_wanted) : is_wanted_(std::move(is_wanted)) {}
  ~WatchedJob() override { *is_wanted_ = false; }

 private:
  std::shared_ptr<bool> is_wanted_;
};

// Speaks each word for 200 ms, as a hum, at once.
class HummingSpeech : public Speech {
 public:
  static constexpr int rate_hz = 16000;
  static constexpr int word_samples = rate_hz / 5;

  std::unique_ptr<Job> speak(SpeechRequest request, SpeechSink sink) override {
    requests.push_back(request);
    wanted.push_back(std::make_shared<bool>(true));
    if (fails) {
      sink(base::Error{base::ErrorCode::unavailable, "test", {}});
    } else {
      sink(chunk_of(request.text));
      if (!is_endless) sink(SpeechEnd{});
    }
    return std::make_unique<WatchedJob>(wanted.back());
  }
  bool can_speak(const std::string& voice, const std::string& language) const override {
    return voice != "unknown" && (language.empty() || language == "en");
  }

  static SpeechChunk chunk_of(const std::string& text) {
    SpeechChunk chunk;
    chunk.rate_hz = rate_hz;
    std::size_t begin = text.find_first_not_of(' ');
    while (begin != text.npos) {
      const auto end = std::min(text.find(' ', begin), text.size());
      SpeechMark mark;
      mark.begin_sample = static_cast<std::int64_t>(chunk.samples.size());
      for (int i = 0; i < word_samples; ++i) {
        const double second = static_cast<double>(i) / rate_hz;
        chunk.samples.push_back(static_cast<std::int16_t>(9000 * std::sin(second * 1100)));
      }
      mark.end_sample = static_cast<std::int64_t>(chunk.samples.size());
      mark.text_begin = begin;
      mark.text_end = end;
      chunk.marks.push_back(mark);
      begin = text.find_first_not_of(' ', end);
    }
    return chunk;
  }

  std::vector<SpeechRequest> requests;
  std::vector<std::shared_ptr<bool>> wanted;
  bool fails = false, is_endless = false;
};

// Answers when the test says so.
class PuppetChat : public Chat {
 public:
  std::unique_ptr<Job> answer(ChatRequest request, ChatSink sink) override {
    requests.push_back(std::move(request));
    sinks.push_back(std::move(sink));
    wanted.push_back(std::make_shared<bool>(true));
    return std::make_unique<WatchedJob>(wanted.back());
  }
  void say(const std::string& text) { sinks.back()(ChatDelta{text}); }
  void end() { sinks.back()(ChatEnd{}); }
  void call(std::string id, std::string name, std::string arguments) {
    sinks.back()(ChatToolCall{std::move(id), std::move(name), std::move(arguments)});
  }

  std::vector<ChatRequest> requests;
  std::vector<ChatSink> sinks;
  std::vector<std::shared_ptr<bool>> wanted;
};

// Takes any loud sound for a voice.
class LoudnessDetector : public VoiceDetector {
 public:
  bool hears_voice(std::span<const std::int16_t, voice_frame_samples> frame) override {
    for (const auto sample : frame)
      if (sample > 1000) return true;
    return false;
  }
};

// Understands what the test says.
class PuppetRecognizer : public Recognizer {
 public:
  struct Heard {
    std::vector<std::int16_t> samples;
    bool is_finished = false;
    RecognitionSink sink;
  };
  class Listening : public Recognition {
   public:
    explicit Listening(std::shared_ptr<Heard> heard) : heard_(std::move(heard)) {}
    void push(std::span<const std::int16_t> samples) override {
      heard_->samples.insert(heard_->samples.end(), samples.begin(), samples.end());
    }
    void finish() override { heard_->is_finished = true; }

   private:
    std::shared_ptr<Heard> heard_;
  };
  std::unique_ptr<Recognition> listen(std::string, RecognitionSink sink) override {
    heard.push_back(std::make_shared<Heard>());
    heard.back()->sink = std::move(sink);
    return std::make_unique<Listening>(heard.back());
  }
  bool understands(const std::string& language) const override {
    return language.empty() || std::ranges::find(languages, language) != languages.end();
  }
  std::vector<std::string> languages = {"en"};
  std::vector<std::shared_ptr<Heard>> heard;
};

class PuppetTools : public ToolRunner {
 public:
  std::unique_ptr<Job> call(WebhookCall call, ToolSink sink) override {
    calls.push_back(std::move(call));
    sinks.push_back(std::move(sink));
    wanted.push_back(std::make_shared<bool>(true));
    return std::make_unique<WatchedJob>(wanted.back());
  }
  std::vector<WebhookCall> calls;
  std::vector<ToolSink> sinks;
  std::vector<std::shared_ptr<bool>> wanted;
};

class CountingRandom : public base::Random {
 public:
  void fill(std::span<std::uint8_t> out) override {
    for (auto& byte : out) byte = static_cast<std::uint8_t>(next_++ * 37 >> 3);
  }

 private:
  unsigned next_ = 1;
};

// A conversation with its engines, on a loop that the test turns.
class Play : public ConversationListener {
 public:
  explicit Play(ConversationSettings given = {}) : settings(std::move(given)) {}

  Conversation& begin() {
    conversation.emplace(settings,
                         Conversation::Parts{.speech = speech,
                                             .chat = has_chat ? engine : nullptr,
                                             .recognizer = has_recognizer ? &recognizer : nullptr,
                                             .voice_detector = std::make_unique<LoudnessDetector>(),
                                             .tools = &tools,
                                             .clock = clock,
                                             .random = random,
                                             .post =
                                                 [this](std::move_only_function<void()> step) {
                                                   steps.push_back(std::move(step));
                                                 },
                                             .listener = *this});
    conversation->start();
    turn_loop();
    return *conversation;
  }
  void turn_loop() {
    while (!steps.empty()) {
      auto step = std::move(steps.front());
      steps.pop_front();
      step();
    }
  }
  // Lets that much time pass, tick by tick. Returns how many ticks had sound.
  int run(std::chrono::milliseconds time) {
    int sounding = 0;
    for (; time.count() > 0; time -= std::chrono::milliseconds(20)) {
      clock.advance(std::chrono::milliseconds(20));
      std::array<std::int16_t, tick_samples> sound{};
      conversation->next_sound(sound);
      sounding += std::ranges::any_of(sound, [](auto sample) { return sample != 0; }) ? 1 : 0;
      turn_loop();
    }
    return sounding;
  }
  // The user's voice (or silence) for that long, while time passes.
  int hear(std::chrono::milliseconds time, std::int16_t loudness) {
    int sounding = 0;
    for (; time.count() > 0; time -= std::chrono::milliseconds(20)) {
      std::vector<std::int16_t> sound(tick_samples);
      for (std::size_t i = 0; i < sound.size(); ++i) sound[i] = i / 50 % 2 ? loudness : 0;
      conversation->hear(sound);
      turn_loop();
      sounding += run(std::chrono::milliseconds(20));
    }
    return sounding;
  }
  // All of one speaker's text so far, put together.
  std::string text_of(Speaker role) const {
    std::string all;
    for (const auto& text : texts)
      if (text.role == role) all += text.content;
    return all;
  }

  void speech_text(const SpokenText& text) override { texts.push_back(text); }
  void reasoning_text(const SpokenText& text) override { thoughts.push_back(text); }
  void user_speech_started(const std::string&) override { notes.push_back("user started"); }
  void user_speech_ended(const std::string&) override { notes.push_back("user ended"); }
  void tool_call_started(const ToolCallNotice& call) override {
    notes.push_back("tool started " + call.name);
  }
  void tool_call_completed(const ToolCallNotice& call) override {
    notes.push_back("tool completed " + call.name + ' ' + call.result);
  }
  void tool_call_failed(const ToolCallNotice& call) override {
    notes.push_back("tool failed " + call.name + ' ' + call.error);
  }
  void talk_stream_interrupted(const std::string& id) override {
    notes.push_back("stream interrupted " + id);
  }
  void warning(const std::string& text) override { warnings.push_back(text); }
  void ended(EndReason reason) override {
    end_reasons.push_back(reason);
    if (on_end) on_end();
  }

  ConversationSettings settings;
  bool has_chat = true, has_recognizer = true;
  HummingSpeech speech;
  PuppetChat chat;
  Chat* engine = &chat;
  PuppetRecognizer recognizer;
  PuppetTools tools;
  base::ManualClock clock{base::Instant(std::chrono::hours(480000))};
  CountingRandom random;
  std::deque<std::move_only_function<void()>> steps;
  std::vector<SpokenText> texts, thoughts;
  std::vector<std::string> notes, warnings;
  std::vector<EndReason> end_reasons;
  std::function<void()> on_end;
  std::optional<Conversation> conversation;
};

// Not inlined: g++ 12 would take its texts for uninitialised.
[[gnu::noinline]] inline ConversationSettings silent_persona() {
  ConversationSettings settings;
  settings.greeting = ConversationSettings::Greeting::skipped;
  return settings;
}

inline std::vector<std::string> said(const std::vector<ChatMessage>& messages) {
  std::vector<std::string> all;
  for (const auto& message : messages) {
    constexpr std::array names = {"system: ", "user: ", "persona: ", "tool: "};
    all.push_back(names[static_cast<std::size_t>(message.role)] + message.text);
  }
  return all;
}

}  // namespace stagedoor::stage
