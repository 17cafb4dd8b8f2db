#include "stage/conversation_recorder.h"

#include <algorithm>
#include <utility>

namespace stagedoor::stage {
namespace {

using rules::MessageRole;
using rules::ReportedToolCall;
using rules::SessionReport;

// A turn that is told of is one of the newest.
constexpr std::size_t turns_looked_at_max = 64;
// More than a conversation has under way (stage/conversation_listening.cc).
constexpr std::size_t voices_max = 8;

// At most `bytes_max` of it, and no part of a UTF-8 character.
std::string_view cut_to(std::string_view text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return text;
  auto end = bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return text.substr(0, end);
}

}  // namespace

std::optional<std::size_t> ConversationRecorder::turn_of(const std::string& correlation_id,
                                                         base::Instant now) {
  auto& turns = report_.turns;
  const auto least = turns.size() - std::min(turns.size(), turns_looked_at_max);
  for (auto at = turns.size(); at > least; --at)
    if (turns[at - 1].correlation_id == correlation_id) return at - 1;
  if (turns.size() >= rules::report_turns_max) {
    report_.is_cut = true;
    return std::nullopt;
  }
  // A client may name its own, of any length.
  constexpr std::size_t id_bytes_max = 128;
  if (correlation_id.size() > id_bytes_max) {
    report_.is_cut = true;
    return std::nullopt;
  }
  turns.push_back(
      {.correlation_id = correlation_id, .began_at = now, .transcription = {}, .response = {}});
  words_known_.emplace_back();
  return turns.size() - 1;
}

std::optional<std::size_t> ConversationRecorder::add_message(MessageRole role, std::size_t turn,
                                                             base::Instant at) {
  if (content_ == rules::Transcripts::left_out) return std::nullopt;
  if (report_.messages.size() >= rules::report_messages_max) {
    report_.is_cut = true;
    return std::nullopt;
  }
  auto& message = report_.messages.emplace_back();
  message.turn = static_cast<int>(turn);
  message.role = role;
  message.at = at;
  return report_.messages.size() - 1;
}

void ConversationRecorder::add_text(std::size_t message, std::string_view text) {
  const auto part = cut_to(text, rules::report_text_bytes_max - text_bytes_);
  report_.is_cut |= part.size() < text.size();
  text_bytes_ += part.size();
  report_.messages[message].text += part;
}

std::string ConversationRecorder::fitting(std::string_view text) {
  const auto part = cut_to(text, rules::report_tool_bytes_max - tool_bytes_);
  report_.is_cut |= part.size() < text.size();
  tool_bytes_ += part.size();
  return std::string(part);
}

void ConversationRecorder::speech_text(const SpokenText& text, base::Instant now) {
  if (text.role == Speaker::user) {
    user_said(text, now);
  } else {
    persona_said(text, now);
  }
}

std::optional<ConversationRecorder::Voice> ConversationRecorder::take_voice(
    const std::string& correlation_id) {
  const auto found = std::ranges::find(voices_, correlation_id, &Voice::correlation_id);
  if (found == voices_.end()) return std::nullopt;
  auto voice = std::move(*found);
  voices_.erase(found);
  return voice;
}

void ConversationRecorder::user_said(const SpokenText& text, base::Instant now) {
  const auto voice = take_voice(text.correlation_id);
  const auto turn = turn_of(text.correlation_id, voice ? voice->began : now);
  if (!turn) return;
  words_known_[*turn] = now;
  if (voice && voice->ended) report_.turns[*turn].transcription = now - *voice->ended;
  const auto message = add_message(MessageRole::user, *turn, voice ? voice->began : now);
  if (!message) return;
  add_text(*message, text.content);
  if (voice) report_.messages[*message].spoken_for = voice->ended.value_or(now) - voice->began;
}

void ConversationRecorder::persona_said(const SpokenText& text, base::Instant now) {
  if (speaking_ && speaking_->message_id != text.message_id) end_speaking(now, Ending::whole);
  if (!speaking_) {
    // The end of what was never heard.
    if (text.content.empty()) return;
    const auto turn = turn_of(text.correlation_id, now);
    if (!turn) return;
    auto& response = report_.turns[*turn].response;
    if (words_known_[*turn] && !response) response = now - *words_known_[*turn];
    speaking_ = Speaking{.message_id = text.message_id,
                         .message = add_message(MessageRole::persona, *turn, now),
                         .began = now};
  }
  if (speaking_->message) add_text(*speaking_->message, text.content);
  if (text.is_end_of_speech)
    end_speaking(now, text.is_interrupted ? Ending::interrupted : Ending::whole);
}

void ConversationRecorder::end_speaking(base::Instant now, Ending ending) {
  const auto speaking = std::exchange(speaking_, std::nullopt);
  if (!speaking || !speaking->message) return;
  auto& message = report_.messages[*speaking->message];
  message.spoken_for = now - speaking->began;
  message.is_interrupted = ending == Ending::interrupted;
}

void ConversationRecorder::user_speech_started(const std::string& correlation_id,
                                               base::Instant now) {
  voices_.push_back({.correlation_id = correlation_id, .began = now, .ended = {}});
  if (voices_.size() > voices_max) voices_.pop_front();
}

void ConversationRecorder::user_speech_ended(const std::string& correlation_id, base::Instant now) {
  const auto found = std::ranges::find(voices_, correlation_id, &Voice::correlation_id);
  if (found != voices_.end()) found->ended = now;
}

void ConversationRecorder::tool_call_started(const ToolCallNotice& call, base::Instant now) {
  if (content_ == rules::Transcripts::left_out) return;
  const auto turn = turn_of(call.correlation_id, now);
  if (!turn) return;
  if (report_.tool_calls.size() >= rules::report_tool_calls_max) {
    report_.is_cut = true;
    return;
  }
  auto& told = report_.tool_calls.emplace_back();
  told.turn = static_cast<int>(*turn);
  told.correlation_id = call.correlation_id;
  told.call_id = fitting(call.call_id);
  told.name = fitting(call.name);
  told.kind = call.kind;
  told.started_at = now;
  told.arguments = fitting(call.arguments);
}

void ConversationRecorder::tool_call_completed(const ToolCallNotice& call, base::Instant now) {
  tool_call_ended(call, ReportedToolCall::Status::completed, now);
}

void ConversationRecorder::tool_call_failed(const ToolCallNotice& call, base::Instant now) {
  tool_call_ended(call, ReportedToolCall::Status::failed, now);
}

void ConversationRecorder::tool_call_ended(const ToolCallNotice& call,
                                           ReportedToolCall::Status status, base::Instant now) {
  auto& calls = report_.tool_calls;
  const auto found = std::find_if(calls.rbegin(), calls.rend(), [&](const ReportedToolCall& told) {
    return told.call_id == call.call_id && !told.completed_at;
  });
  if (found == calls.rend()) return;
  found->status = status;
  found->completed_at = now;
  found->result = fitting(call.result);
  found->error = fitting(call.error);
}

SessionReport ConversationRecorder::take(base::Instant now) {
  end_speaking(now, Ending::interrupted);
  words_known_.clear();
  voices_.clear();
  text_bytes_ = tool_bytes_ = 0;
  return std::exchange(report_, {});
}

}  // namespace stagedoor::stage
