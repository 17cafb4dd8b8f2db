// Listens to a conversation and makes its report (rules/session_report.h): who said what and when,
// what was called, and how long each turn kept its user waiting.
//
// A turn is what one correlation id names: the user's words and the persona's answer to them, or
// words of the persona alone. Waiting is counted from the moment at which the user has ended.
//
// Rule report-measures-turns: transcription is from the end of the user's voice until its words are
// known; response is from then, or from typed words, until the first of the persona's words is
// heard. A turn that the user has not asked for has neither.
//
// Pure; times are passed in. Not safe for concurrent use.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "rules/session_report.h"
#include "stage/conversation.h"

namespace stagedoor::stage {

class ConversationRecorder {
 public:
  // `left_out`: only times are kept.
  explicit ConversationRecorder(rules::Transcripts content) : content_(content) {}

  void speech_text(const SpokenText& text, base::Instant now);
  void user_speech_started(const std::string& correlation_id, base::Instant now);
  void user_speech_ended(const std::string& correlation_id, base::Instant now);
  void tool_call_started(const ToolCallNotice& call, base::Instant now);
  void tool_call_completed(const ToolCallNotice& call, base::Instant now);
  void tool_call_failed(const ToolCallNotice& call, base::Instant now);

  // All of it; what is being said is cut off here. Leaves the recorder empty.
  rules::SessionReport take(base::Instant now);
  // What it holds at most grows with what was said, up to the limits of the report.
  std::size_t held_bytes() const { return text_bytes_ + tool_bytes_; }

 private:
  // A stretch of the user's voice whose words are not known, and may never be.
  struct Voice {
    std::string correlation_id;
    base::Instant began;
    std::optional<base::Instant> ended;
  };
  // The persona's message under way.
  struct Speaking {
    std::string message_id;
    std::optional<std::size_t> message;  // an index; nullopt: it is not kept
    base::Instant began;
  };
  std::optional<Voice> take_voice(const std::string& correlation_id);
  std::optional<std::size_t> turn_of(const std::string& correlation_id, base::Instant now);
  std::optional<std::size_t> add_message(rules::MessageRole role, std::size_t turn,
                                         base::Instant at);
  void add_text(std::size_t message, std::string_view text);
  std::string fitting(std::string_view text);
  void user_said(const SpokenText& text, base::Instant now);
  void persona_said(const SpokenText& text, base::Instant now);
  enum class Ending : unsigned char { whole, interrupted };
  void end_speaking(base::Instant now, Ending ending);
  void tool_call_ended(const ToolCallNotice& call, rules::ReportedToolCall::Status status,
                       base::Instant now);

  rules::Transcripts content_;
  rules::SessionReport report_;
  std::vector<std::optional<base::Instant>> words_known_;  // when those of each turn were
  std::deque<Voice> voices_;                               // the newest few
  std::optional<Speaking> speaking_;
  std::size_t text_bytes_ = 0, tool_bytes_ = 0;
};

}  // namespace stagedoor::stage
