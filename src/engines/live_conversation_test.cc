// A conversation with all that is built in: flite, the scripted partner, the voice detector and
// PocketSphinx, on one loop.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <condition_variable>
#include <deque>
#include <fstream>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "engines/flite_speech.h"
#include "engines/pocketsphinx_recognizer.h"
#include "engines/webrtc_voice_detector.h"
#include "stage/conversation.h"
#include "stage/resampler.h"
#include "stage/scripted_chat.h"

namespace stagedoor::engines {
namespace {

using namespace std::chrono_literals;
using stage::Speaker;

class Numbers : public base::Random {
 public:
  void fill(std::span<std::uint8_t> out) override {
    for (auto& byte : out) byte = static_cast<std::uint8_t>(++next_ * 29 >> 2);
  }

 private:
  unsigned next_ = 0;
};

// The loop of a session, whose time passes as fast as the test turns it.
class LiveSession : public stage::ConversationListener {
 public:
  LiveSession() : opened_(PocketSphinxRecognizer::open({})) {
    stage::ConversationSettings settings;
    settings.greeting = stage::ConversationSettings::Greeting::skipped;
    settings.system_prompt = "Q: Go forward ten meters.\nA: I am walking forward, ten meters.";
    conversation_.emplace(settings, stage::Conversation::Parts{
                                        .speech = speech_,
                                        .chat = &chat_,
                                        .recognizer = opened_ ? opened_->get() : nullptr,
                                        .voice_detector = std::make_unique<WebRtcVoiceDetector>(),
                                        .tools = nullptr,
                                        .clock = clock_,
                                        .random = random_,
                                        .post =
                                            [this](std::move_only_function<void()> step) {
                                              const std::lock_guard lock(mutex_);
                                              steps_.push_back(std::move(step));
                                              posted_.notify_all();
                                            },
                                        .listener = *this});
    conversation_->start();
  }
  ~LiveSession() override { conversation_.reset(); }

  stage::Conversation& conversation() { return *conversation_; }
  bool can_understand() const { return opened_.has_value(); }

  // Twenty milliseconds, and all that engines have sent by then.
  void tick() {
    clock_.advance(20ms);
    std::array<std::int16_t, stage::tick_samples> sound{};
    conversation_->next_sound(sound);
    sounding_ticks += std::ranges::any_of(sound, [](auto sample) { return sample != 0; }) ? 1 : 0;
    if (++ticks_ % 2 == 0)
      jaw_max = std::max(jaw_max, conversation_->face()[stage::Shape::jawOpen]);
    turn();
  }
  // Turns the loop until it holds, with time standing still while only an engine is waited for.
  void run_until(const std::function<bool()>& is_enough) {
    for (int i = 0; i < 2000 && !is_enough(); ++i) {
      tick();
      std::unique_lock lock(mutex_);
      posted_.wait_for(lock, 5ms, [this] { return !steps_.empty(); });
    }
    EXPECT_TRUE(is_enough());
  }

  void speech_text(const stage::SpokenText& text) override {
    (text.role == Speaker::user ? heard : said) += text.content;
    has_ended |= text.role == Speaker::persona && text.is_end_of_speech;
  }
  void reasoning_text(const stage::SpokenText&) override {}
  void user_speech_started(const std::string&) override { ++voices; }
  void user_speech_ended(const std::string&) override {}
  void tool_call_started(const stage::ToolCallNotice&) override {}
  void tool_call_completed(const stage::ToolCallNotice&) override {}
  void tool_call_failed(const stage::ToolCallNotice&) override {}
  void talk_stream_interrupted(const std::string&) override {}
  void warning(const std::string& text) override { ADD_FAILURE() << text; }
  void ended(stage::EndReason) override {}

  std::string said, heard;
  bool has_ended = false;
  int voices = 0, sounding_ticks = 0;
  float jaw_max = 0;

 private:
  void turn() {
    for (;;) {
      std::move_only_function<void()> step;
      {
        const std::lock_guard lock(mutex_);
        if (steps_.empty()) return;
        step = std::move(steps_.front());
        steps_.pop_front();
      }
      step();
    }
  }

  std::mutex mutex_;
  std::condition_variable posted_;
  std::deque<std::move_only_function<void()>> steps_;
  base::ManualClock clock_{base::Instant(std::chrono::hours(480000))};
  Numbers random_;
  FliteSpeech speech_{{.default_voice = "kal"}};
  stage::ScriptedChat chat_;
  base::Result<std::unique_ptr<PocketSphinxRecognizer>> opened_;
  std::optional<stage::Conversation> conversation_;
  int ticks_ = 0;
};

TEST(LiveConversation, WhatIsTypedIsAnsweredAloudWithAMouthThatMoves) {
  LiveSession session;
  session.conversation().user_text("Please go forward, ten meters!");
  session.run_until([&] { return session.has_ended; });
  EXPECT_EQ(session.said, "I am walking forward, ten meters.");
  EXPECT_GT(session.sounding_ticks, 60);
  EXPECT_GT(session.jaw_max, 0.2F);
}

TEST(LiveConversation, WhatIsSaidIntoTheMicrophoneIsUnderstoodAndAnswered) {
  LiveSession session;
  ASSERT_TRUE(session.can_understand()) << "pocketsphinx-en-us is not installed";
  std::ifstream file("/usr/share/pocketsphinx/test/data/goforward.raw", std::ios::binary);
  std::vector<std::int16_t> spoken(44580);
  file.read(reinterpret_cast<char*>(spoken.data()),
            static_cast<std::streamsize>(spoken.size() * sizeof(std::int16_t)));
  ASSERT_TRUE(file) << "pocketsphinx-testdata is not installed";
  spoken.resize(spoken.size() + 32000);
  stage::Resampler resampler(16000, 48000);
  std::vector<float> resampled;
  resampler.push(spoken, resampled);
  for (std::size_t at = 0; at + 960 <= resampled.size(); at += 960) {
    std::array<std::int16_t, 960> slice;
    for (std::size_t i = 0; i < slice.size(); ++i)
      slice[i] = static_cast<std::int16_t>(resampled[at + i] * 32767);
    session.conversation().hear(slice);
    session.tick();
  }
  EXPECT_EQ(session.voices, 1);
  session.run_until([&] { return session.has_ended; });
  EXPECT_EQ(session.heard, "go forward ten meters");
  EXPECT_EQ(session.said, "I am walking forward, ten meters.");
}

}  // namespace
}  // namespace stagedoor::engines
