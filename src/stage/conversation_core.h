// The inside of a conversation (stage/conversation.h): its turns, and what each of them waits for.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "stage/captions.h"
#include "stage/conversation.h"
#include "stage/resampler.h"
#include "stage/sentences.h"

namespace stagedoor::stage {

// A tool call that has no result yet.
struct PendingTool {
  std::uint64_t number = 0;
  ToolCallNotice notice;
  ConversationTool::Interruptions interruptions = ConversationTool::Interruptions::allowed;
  base::Instant deadline;
  std::unique_ptr<Job> job;  // of a webhook
};

// A piece of a turn's text on its way from words to sound.
struct Piece {
  Piece(std::uint64_t given, std::string text, std::string named)
      : number(given), captions(std::move(text)), utterance_id(std::move(named)) {}

  std::uint64_t number;
  Captions captions;
  std::string utterance_id;   // as the client named it
  UtteranceId utterance = 0;  // 0: no sound yet
  std::unique_ptr<Job> job;
  bool is_asked_for = false, is_made = false, is_spoken = false;
  bool is_cut = false;  // Some of its text has no sound.
};

// What the persona does in one go.
struct Turn {
  enum class Kind : unsigned char { greeting, answer, talk, talk_stream, sound };

  std::uint64_t number = 0;
  Kind kind = Kind::answer;
  std::string message_id, correlation_id;
  bool is_interruptible = true;
  bool has_all_words = false;
  bool ends_session = false;

  Sentences sentences;
  std::deque<Piece> pieces;
  std::size_t waiting_bytes = 0;  // of text that is not spoken yet
  std::string spoken;
  int content_index = 0;
  // What the chat thinks: how many pieces of it were told, and whether their end is still to tell.
  int thoughts = 0;
  bool is_thinking = false;
  base::Instant last_sign_at;  // Of a client that gives words or sound piece by piece.

  // Of an answer: what is asked for, and what was said and done for it besides `spoken`.
  std::string prompt;  // for a turn that no message of the user asks for
  std::unique_ptr<Job> chat;
  int rounds = 0;
  bool is_thought = false;  // The chat has ended this round.
  std::string said_this_round;
  std::vector<ChatToolCall> calls;  // of this round
  std::vector<ChatMessage> exchange;
  std::vector<PendingTool> tools;

  // Of the client's own sound.
  UtteranceId sound = 0;
  int rate_hz = 0;
  std::vector<std::int16_t> waiting_sound;
  bool has_warned = false;
};

class Conversation::Core : public std::enable_shared_from_this<Conversation::Core> {
 public:
  Core(ConversationSettings settings, Parts parts);

  void start();
  void user_text(std::string text, std::string correlation_id);
  void hear(std::span<const std::int16_t> samples);
  void add_context(std::string text);
  void talk(std::string text, std::string correlation_id);
  void talk_stream(TalkChunk chunk);
  void play_sound(std::span<const std::int16_t> samples, int rate_hz);
  void end_sound();
  void interrupt();
  void client_tool_result(std::string_view call_id, base::Result<std::string> result);
  void update(const ConversationUpdate& change);
  void end(EndReason reason);
  void next_sound(std::span<std::int16_t, tick_samples> out);

  Performance performance;
  std::vector<ChatMessage> history;
  bool is_ended = false;
  const ConversationSettings& settings() const { return settings_; }
  std::size_t held_bytes() const;
  std::string new_id() { return base::random_uuid(parts_.random); }

 private:
  // Turns (stage/conversation_turns.cc).
  Turn* add_turn(Turn::Kind kind, std::string correlation_id);
  Turn* front(std::uint64_t number);
  void begin_front();
  void ask(Turn& turn);
  ChatRequest request_of(const Turn& turn) const;
  void on_chat(std::uint64_t turn, int round, ChatEvent event);
  void tell_thought(Turn& turn, std::string text);
  void end_thought(Turn& turn);
  void end_round(Turn& turn);
  void add_words(Turn& turn, std::string_view text, const std::string& utterance_id);
  void end_words(Turn& turn);
  void add_pieces(Turn& turn, std::vector<std::string> texts, const std::string& utterance_id);
  void speak_next();
  void on_speech(std::uint64_t turn, std::uint64_t piece, SpeechEvent event);
  void end_piece(Turn& turn, Piece& piece);
  void on_performed(const PerformanceEvent& event);
  void tell(Turn& turn, std::string_view text, const std::string& utterance_id);
  void finish_if_over();
  enum class Ending : unsigned char { whole, interrupted };
  void finish_front(Ending ending);
  void give_sound(Turn& turn);
  void end_abandoned(Turn& turn);
  void interrupt_all();

  // Tools (stage/conversation_tools.cc).
  void start_tool(Turn& turn, ChatToolCall call);
  void run_tool(Turn& turn, const ConversationTool& tool, PendingTool pending);
  std::size_t webhooks_under_way() const;
  std::unique_ptr<Job> call_of(const ConversationTool& tool, ToolRunner& runner,
                               const PendingTool& pending);
  void leave_running(Turn& turn, std::size_t index, std::unique_ptr<Job> job);
  void on_tool(std::uint64_t number, base::Result<std::string> result);
  void finish_tool(Turn& turn, std::size_t index, base::Result<std::string> result);
  void fail_tools(Turn& turn, std::string_view why);
  // Returns what the model reads of it.
  std::string tell_tool_end(PendingTool pending, base::Result<std::string> result);
  void check_tool_times();

  // Listening and time (stage/conversation_listening.cc).
  void hear_frame(std::span<const std::int16_t, voice_frame_samples> frame);
  void check_recognizer_for(const std::string& language);
  void on_voice_begun();
  void on_voice_ended();
  void on_recognized(std::uint64_t number, RecognitionEvent event);
  void keep_time();
  void sign_of_user();

  void remember(ChatMessage message);
  bool may_interrupt() const;
  bool may_be_answered();
  bool may_be_spoken(std::size_t text_bytes);
  bool is_quiet() const;
  void warn(const std::string& text) { parts_.listener.warning(text); }

  ConversationSettings settings_;
  Parts parts_;
  std::deque<Turn> turns_;  // The first is under way, the others wait.
  std::uint64_t last_number_ = 0;
  std::int64_t answers_arrival_nanos_ = 0;  // answers_rate_max's state
  // When all that was asked of Speech would have been heard, at speech_bytes_per_second.
  base::Instant speech_due_at_;
  bool is_speech_held_ = false;
  std::vector<std::string> interrupted_streams_;  // the newest few
  std::vector<PendingTool> unawaited_;            // webhooks whose results no turn waits for
  std::size_t history_bytes_ = 0;

  // A stretch of the user's speech whose words are not known yet.
  struct Heard {
    std::uint64_t number;
    std::string correlation_id;
    std::unique_ptr<Recognition> recognition;
  };
  VoiceActivity activity_;
  Resampler to_listening_;
  std::vector<float> resampled_;
  std::vector<std::int16_t> unheard_;    // less than a frame
  std::deque<std::int16_t> just_heard_;  // before speech begins
  std::vector<Heard> recognitions_;
  std::string voice_correlation_id_;
  bool is_recording_ = false, has_told_of_deafness_ = false;

  bool is_started_ = false;
  base::Instant started_at_, last_tick_at_;
  std::chrono::milliseconds quiet_{0}, user_quiet_{0};
  int unasked_turns_ = 0;  // since the last sign of the user
};

}  // namespace stagedoor::stage
