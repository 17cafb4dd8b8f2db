// The conversation of a live session: who speaks when, and what is said.
//
//   text, talk, sound of the microphone --> turns --Chat--> sentences --Speech--> Performance
//
// Rule interruption-stops-conversation: when the user's voice is heard, or an interruption is
// asked for, sound stops within 100 ms, what was to be said is dropped, and what was said is marked
// as interrupted. A greeting that may not be interrupted goes on.
//
// Rule history-keeps-what-was-spoken: the next answer is asked for with what the persona has been
// heard to say, and not with what it was going to say.
//
// Rule captions-as-spoken: the text of the persona is told piece by piece, each when its sound is
// sent, and the pieces of a message together are what was spoken.
//
// Rule thoughts-end: what a model thinks is told piece by piece, and a piece without words closes
// it before the first word or tool call, and where the round or the turn ends.
//
// Rule conversation-bounded: history, waiting turns, waiting text, tool calls of an answer and
// recorded speech each have a limit; what goes beyond is refused with a warning, or the oldest is
// dropped.
//
// Rule face-turns-bounded: what a user says is answered by the model twice a second at most, and
// eight times at once: nobody talks faster, and each answer is a call that somebody pays for. What
// comes sooner, typed or spoken, is not read, and a warning says so. Eight webhooks of a session
// run at once, so that one session does not take the calls of all.
//
// Rule face-speech-bounded: what a session has made into speech stays near what can be heard: 256
// bytes of text a second, 4,096 of them at once, each request counted as 32 more. People hear 15 to
// 60, and of what is interrupted eight seconds are lost, so nobody meets it who listens; but
// whoever has words spoken and interrupts them, over and over, would keep an engine busy that
// others wait for. What is beyond waits, and a warning says so.
//
// Rule silence-ends-turns: silence counts only while neither of the two speaks. After the silence
// that the settings name the persona speaks again, at most three times until the user gives a sign;
// and after the silence that they name for it, counted from the last sign of the user, the session
// ends.
//
// Pure but for its engines: the clock is passed in, and engines' answers come back through `post`.
// Everything is called on the session's loop. Not safe for concurrent use.
//
// Heard by: the door that made it, as a ConversationListener
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "rules/rate_limit.h"
#include "rules/tool_kind.h"
#include "stage/chat.h"
#include "stage/face.h"
#include "stage/listening.h"
#include "stage/performance.h"
#include "stage/speech.h"
#include "stage/tool_runner.h"

namespace stagedoor::stage {

// What a conversation may hold.
inline constexpr std::size_t history_messages_max = 200;
inline constexpr std::size_t history_bytes_max = 256u << 10;
inline constexpr std::size_t user_text_bytes_max = 16u << 10;
inline constexpr std::size_t waiting_turns_max = 16;
inline constexpr std::size_t waiting_text_bytes_max = 128u << 10;  // of one turn
inline constexpr int tool_rounds_max = 8;                          // of one turn
inline constexpr std::size_t tool_calls_max = 16;                  // of one round
inline constexpr std::size_t webhooks_max = 8;                     // under way
inline constexpr std::size_t tool_result_bytes_max = 64u << 10;
inline constexpr rules::RateLimit answers_rate_max{
    .count = 2, .period = std::chrono::seconds(1), .burst = 8};
inline constexpr std::size_t speech_bytes_per_second = 256, speech_bytes_burst = 4096;
inline constexpr std::size_t speech_bytes_of_request = 32;

// How the persona listens (contract 1.1 of the Anam dialect, voiceDetectionOptions). 0 is off.
struct VoiceDetection {
  double end_of_speech_sensitivity = 0.5;                 // 0..1
  std::chrono::milliseconds silence_before_skip_turn{0};  // then the persona speaks again
  std::chrono::milliseconds silence_before_session_end{0};
  std::chrono::milliseconds silence_before_auto_end_turn{5000};  // 500..10,000
  bool operator==(const VoiceDetection&) const = default;
};

// Absent members stay.
struct VoiceDetectionChange {
  std::optional<double> end_of_speech_sensitivity;
  std::optional<std::chrono::milliseconds> silence_before_skip_turn, silence_before_session_end,
      silence_before_auto_end_turn;
};
void apply(const VoiceDetectionChange& change, VoiceDetection& to);

struct ConversationTool {
  using Kind = rules::ToolKind;
  // What a system tool does.
  enum class Action : unsigned char { none, end_call, interrupt };
  Kind kind = Kind::client;
  Action action = Action::none;
  ChatTool tool;
  // Whether the answer waits for the tool's result. A webhook whose result is ignored is called all
  // the same, whatever becomes of the turn and of the session, and how it ends is told.
  enum class Result : unsigned char { awaited, ignored };
  Result result = Result::ignored;
  enum class Interruptions : unsigned char { allowed, refused };
  Interruptions interruptions = Interruptions::allowed;  // while the tool runs
  std::chrono::milliseconds timeout{10'000};
  WebhookCall webhook;  // all but its arguments
  // Of a knowledge tool: what it searches, and who does it.
  std::vector<std::string> source_ids;
  std::shared_ptr<ToolRunner> runner;
};

struct ConversationSettings {
  std::string persona_name, system_prompt;
  std::optional<std::string> initial_message;  // what it says first; nullopt: as the chat greets
  enum class Greeting : unsigned char { interruptible, uninterruptible, skipped };
  Greeting greeting = Greeting::interruptible;
  std::string voice, language, model;  // as the engines name them; empty: their default
  double speed = 1;
  VoiceDetection voice_detection;
  // Who makes the words: the chat; the client, by talk and talk streams; or nobody, since the
  // client sends sound.
  enum class Words : unsigned char { chat, client, sound };
  Words words = Words::chat;
  std::optional<std::chrono::milliseconds> length_max;
  std::vector<ConversationTool> tools;
  std::uint64_t seed = 0;  // of the face's life
};

// A change while the session runs; absent members stay.
struct ConversationUpdate {
  std::optional<std::string> language, voice;
  std::optional<double> speed;
  VoiceDetectionChange voice_detection;
};

enum class Speaker : unsigned char { user, persona };

// A piece of a message. The pieces of a persona's message are deltas, to be put together as they
// stand; a user's message comes whole.
struct SpokenText {
  std::string message_id;
  int content_index = 0;  // 0, 1, ... within the message
  std::string content;
  Speaker role = Speaker::persona;
  bool is_end_of_speech = false;
  bool is_interrupted = false;
  std::string utterance_id, correlation_id;  // as the client named them, or the turn's own
};

struct ToolCallNotice {
  rules::ToolKind kind = rules::ToolKind::client;
  std::string call_id, name, arguments, correlation_id;
  std::string result;  // of a completed call
  std::string error;   // of a failed call
};

enum class EndReason : unsigned char { length_reached, silence, persona_ended, stopped };

// Called on the loop, from inside the conversation's own functions: it may call none of them but
// through its loop.
class ConversationListener {
 public:
  virtual ~ConversationListener() = default;
  virtual void speech_text(const SpokenText& text) = 0;
  // A thought of the model; `is_end_of_speech` with the piece that closes it.
  virtual void reasoning_text(const SpokenText& text) = 0;
  virtual void user_speech_started(const std::string& correlation_id) = 0;
  virtual void user_speech_ended(const std::string& correlation_id) = 0;
  virtual void tool_call_started(const ToolCallNotice& call) = 0;
  virtual void tool_call_completed(const ToolCallNotice& call) = 0;
  virtual void tool_call_failed(const ToolCallNotice& call) = 0;
  virtual void talk_stream_interrupted(const std::string& correlation_id) = 0;
  // In words for the client: something that it asked for was not done.
  virtual void warning(const std::string& text) = 0;
  // Once; afterwards the conversation does nothing.
  virtual void ended(EndReason reason) = 0;
};

// A piece of text that the client streams to be spoken.
struct TalkChunk {
  std::string content;
  bool is_start = false, is_end = false;
  std::string correlation_id, utterance_id;
};

class Conversation {
 public:
  struct Parts {
    Speech& speech;
    Chat* chat = nullptr;              // null: nobody answers
    Recognizer* recognizer = nullptr;  // null: what is said aloud is heard and not understood
    std::unique_ptr<VoiceDetector> voice_detector;  // null: the microphone is not listened to
    ToolRunner* tools = nullptr;
    const base::Clock& clock;
    base::Random& random;
    // Runs a step on the session's loop, later. Safe for concurrent use; may be called when the
    // conversation is gone.
    std::function<void(std::move_only_function<void()>)> post;
    ConversationListener& listener;
  };
  Conversation(ConversationSettings settings, Parts parts);
  ~Conversation();
  Conversation(const Conversation&) = delete;
  Conversation& operator=(const Conversation&) = delete;

  // The client sees and hears: the greeting begins, and time and silence are counted from here.
  void start();

  // What the user typed. After a warning it is not read: it is too long, or came too soon.
  void user_text(std::string text);
  // The user's microphone: mono at 48 kHz, as it comes.
  void hear(std::span<const std::int16_t> samples);
  // To be known, and not to be answered.
  void add_context(std::string text);
  // To be said as it stands. Waits for what is being said.
  void talk(std::string text, std::string correlation_id);
  void talk_stream(TalkChunk chunk);
  // Sound of the client's own, to be played with lips: mono.
  void play_sound(std::span<const std::int16_t> samples, int rate_hz);
  void end_sound();
  void interrupt();
  // From the client, for a call of its own tools whose result is awaited; others are ignored.
  void tool_result(std::string_view call_id, base::Result<std::string> result);
  // What of it can't be done is told by a warning; the rest is done.
  void update(const ConversationUpdate& change);
  // Ends it from outside.
  void stop();

  // Every 20 ms and every 40 ms, as Performance has it. All that depends on time happens here too.
  void next_sound(std::span<std::int16_t, tick_samples> out);
  Face face();

  bool is_ended() const;
  // As they are now.
  const ConversationSettings& settings() const;
  // What the next answer would be asked for with.
  const std::vector<ChatMessage>& history() const;
  std::size_t held_bytes() const;

 private:
  class Core;
  std::shared_ptr<Core> core_;
};

}  // namespace stagedoor::stage
