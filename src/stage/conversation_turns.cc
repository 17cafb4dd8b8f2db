// From words to sound: a turn's way through Chat, Speech and Performance.
//
// SPDX-License-Identifier: Apache-2.0

#include <algorithm>
#include <utility>

#include "stage/conversation_core.h"

namespace stagedoor::stage {
namespace {

// No more sound than this is made ahead of what is heard.
constexpr std::chrono::seconds ahead_max{8};

}  // namespace

// Null, after a warning, where too many wait.
Turn* Conversation::Core::add_turn(Turn::Kind kind, std::string correlation_id) {
  if (turns_.size() >= waiting_turns_max) {
    warn("Too much waits to be said; this is not said.");
    return nullptr;
  }
  auto& turn = turns_.emplace_back();
  turn.number = ++last_number_;
  turn.kind = kind;
  turn.message_id = new_id();
  turn.correlation_id = std::move(correlation_id);
  turn.last_sign_at = parts_.clock.now();
  return &turn;
}

// The turn under way, if it is still this one.
Turn* Conversation::Core::front(std::uint64_t number) {
  return !turns_.empty() && turns_.front().number == number ? &turns_.front() : nullptr;
}

void Conversation::Core::begin_front() {
  if (turns_.empty()) return;
  auto& turn = turns_.front();
  const bool is_asked = turn.kind == Turn::Kind::answer || !turn.prompt.empty();
  if (is_asked) return ask(turn);
  if (turn.kind == Turn::Kind::sound) return give_sound(turn);
  speak_next();
  finish_if_over();
}

ChatRequest Conversation::Core::request_of(const Turn& turn) const {
  ChatRequest request;
  request.model = settings_.model;
  request.persona_name = settings_.persona_name;
  request.system_prompt = settings_.system_prompt;
  request.greeting = settings_.initial_message.value_or("");
  request.is_unasked = !turn.prompt.empty();
  const auto add_note = [&](std::string text) {
    ChatMessage note;
    note.role = ChatMessage::Role::system;
    note.text = std::move(text);
    request.messages.push_back(std::move(note));
  };
  if (!settings_.system_prompt.empty()) add_note(settings_.system_prompt);
  request.messages.insert(request.messages.end(), history.begin(), history.end());
  if (!turn.prompt.empty()) add_note(turn.prompt);
  request.messages.insert(request.messages.end(), turn.exchange.begin(), turn.exchange.end());
  for (const auto& tool : settings_.tools) request.tools.push_back(tool.tool);
  return request;
}

void Conversation::Core::ask(Turn& turn) {
  turn.is_thought = false;
  turn.said_this_round.clear();
  turn.calls.clear();
  const auto number = turn.number;
  const int round = ++turn.rounds;
  auto sink = [weak = weak_from_this(), post = parts_.post, number, round](ChatEvent event) {
    post([weak, number, round, event = std::move(event)]() mutable {
      const auto core = weak.lock();
      if (core && !core->is_ended) core->on_chat(number, round, std::move(event));
    });
  };
  turn.chat = parts_.chat->answer(request_of(turn), std::move(sink));
}

void Conversation::Core::on_chat(std::uint64_t number, int round, ChatEvent event) {
  auto* turn = front(number);
  if (!turn || turn->rounds != round || turn->is_thought) return;
  if (!std::holds_alternative<ChatReasoning>(event)) end_thought(*turn);
  if (auto* delta = std::get_if<ChatDelta>(&event)) {
    turn->said_this_round += delta->text;
    add_words(*turn, delta->text, {});
    if (turn->waiting_bytes > waiting_text_bytes_max) {
      warn("The answer is too long; its end is not said.");
      turn->chat.reset();
      event = ChatEnd{};
    }
  } else if (auto* thought = std::get_if<ChatReasoning>(&event)) {
    tell_thought(*turn, std::move(thought->text));
  } else if (auto* call = std::get_if<ChatToolCall>(&event)) {
    start_tool(*turn, std::move(*call));
  } else if (std::holds_alternative<ChatStandIn>(event)) {
    warn("The language model did not answer; another partner answers in its place.");
  } else if (std::holds_alternative<base::Error>(event)) {
    warn("The language model did not answer.");
  }
  if (std::holds_alternative<ChatEnd>(event) || std::holds_alternative<base::Error>(event))
    end_round(*turn);
  speak_next();
  finish_if_over();
}

void Conversation::Core::tell_thought(Turn& turn, std::string text) {
  turn.is_thinking = true;
  SpokenText told;
  told.message_id = turn.message_id;
  told.content_index = turn.thoughts++;
  told.content = std::move(text);
  told.correlation_id = turn.correlation_id;
  parts_.listener.reasoning_text(told);
}

// Closes what was told of a thought, if anything was.
void Conversation::Core::end_thought(Turn& turn) {
  if (!std::exchange(turn.is_thinking, false)) return;
  SpokenText told;
  told.message_id = turn.message_id;
  told.content_index = turn.thoughts++;
  told.is_end_of_speech = true;
  told.correlation_id = turn.correlation_id;
  parts_.listener.reasoning_text(told);
}

// The chat has said all of this round: another one follows once its tools have answered.
void Conversation::Core::end_round(Turn& turn) {
  if (!turn.is_thought) {
    turn.is_thought = true;
    std::vector<std::string> rest;
    turn.sentences.finish(rest);
    add_pieces(turn, std::move(rest), {});
  }
  if (!turn.tools.empty()) return;
  if (turn.calls.empty() || turn.ends_session) {
    turn.has_all_words = true;
  } else if (turn.rounds >= tool_rounds_max) {
    warn("The language model called too many tools; its answer ends here.");
    turn.has_all_words = true;
  } else {
    ask(turn);
  }
}

void Conversation::Core::add_words(Turn& turn, std::string_view text,
                                   const std::string& utterance_id) {
  std::vector<std::string> pieces;
  turn.sentences.push(text, pieces);
  add_pieces(turn, std::move(pieces), utterance_id);
}

void Conversation::Core::end_words(Turn& turn) {
  std::vector<std::string> pieces;
  turn.sentences.finish(pieces);
  add_pieces(turn, std::move(pieces), {});
  turn.has_all_words = true;
}

void Conversation::Core::add_pieces(Turn& turn, std::vector<std::string> texts,
                                    const std::string& utterance_id) {
  for (auto& text : texts) {
    turn.waiting_bytes += text.size();
    turn.pieces.emplace_back(++last_number_, std::move(text), utterance_id);
  }
}

// Has the next piece made, one at a time, while not too much is ready. Each tick tries again.
void Conversation::Core::speak_next() {
  if (turns_.empty()) return;
  auto& turn = turns_.front();
  if (performance.queued() > ahead_max) return;
  for (auto& piece : turn.pieces) {
    if (piece.is_made) continue;
    if (piece.is_asked_for) return;
    if (!has_words(piece.captions.text())) {
      piece.is_asked_for = true;
      end_piece(turn, piece);
      continue;
    }
    if (!may_be_spoken(piece.captions.text().size())) return;
    piece.is_asked_for = true;
    SpeechRequest request;
    request.text = piece.captions.text();
    request.voice = settings_.voice;
    request.language = settings_.language;
    request.speed = settings_.speed;
    auto sink = [weak = weak_from_this(), post = parts_.post, turn_number = turn.number,
                 number = piece.number](SpeechEvent event) {
      post([weak, turn_number, number, event = std::move(event)]() mutable {
        const auto core = weak.lock();
        if (core && !core->is_ended) core->on_speech(turn_number, number, std::move(event));
      });
    };
    piece.job = parts_.speech.speak(std::move(request), std::move(sink));
    return;
  }
}

void Conversation::Core::on_speech(std::uint64_t turn_number, std::uint64_t number,
                                   SpeechEvent event) {
  auto* turn = front(turn_number);
  if (!turn) return;
  const auto piece = std::ranges::find(turn->pieces, number, &Piece::number);
  if (piece == turn->pieces.end() || piece->is_made) return;
  if (auto* chunk = std::get_if<SpeechChunk>(&event)) {
    piece->captions.add(*chunk);
    if (chunk->samples.empty()) return;
    if (piece->utterance == 0) piece->utterance = performance.open(chunk->rate_hz);
    if (performance.push(piece->utterance, chunk->samples)) return;
    warn("More sound waits than may; some of it is not played.");
    piece->job.reset();
    piece->is_cut = true;
  } else if (std::holds_alternative<base::Error>(event)) {
    warn("A sentence could not be spoken.");
    piece->is_cut = true;
  }
  end_piece(*turn, *piece);
  speak_next();
  finish_if_over();
}

// No more sound of the piece comes.
void Conversation::Core::end_piece(Turn& turn, Piece& piece) {
  piece.is_made = true;
  if (piece.utterance != 0) {
    piece.captions.finish();
    performance.close(piece.utterance);
    return;
  }
  // It has no sound, so it is never heard and never told.
  turn.waiting_bytes -= std::min(turn.waiting_bytes, piece.captions.text().size());
  piece.is_spoken = true;
}

void Conversation::Core::next_sound(std::span<std::int16_t, tick_samples> out) {
  performance.next_sound(out);
  if (is_ended) return;
  for (const auto& event : performance.take_events()) on_performed(event);
  if (is_started_) keep_time();
  if (is_ended) return;
  speak_next();
  finish_if_over();
}

void Conversation::Core::on_performed(const PerformanceEvent& event) {
  if (turns_.empty()) return;
  auto& turn = turns_.front();
  if (turn.sound == event.utterance) return;
  const auto piece = std::ranges::find(turn.pieces, event.utterance, &Piece::utterance);
  if (piece == turn.pieces.end()) return;
  const bool is_over = event.kind == PerformanceEvent::Kind::ended;
  const auto text = is_over && !piece->is_cut ? piece->captions.rest()
                                              : piece->captions.spoken(event.played_samples);
  tell(turn, text, piece->utterance_id);
  if (!is_over) return;
  turn.waiting_bytes -= std::min(turn.waiting_bytes, piece->captions.text().size());
  piece->is_spoken = true;
}

void Conversation::Core::tell(Turn& turn, std::string_view text, const std::string& utterance_id) {
  if (text.empty()) return;
  turn.spoken += text;
  SpokenText told;
  told.message_id = turn.message_id;
  told.content_index = turn.content_index++;
  told.content = text;
  told.utterance_id = utterance_id;
  told.correlation_id = turn.correlation_id;
  parts_.listener.speech_text(told);
}

// Ends the turn under way, and begins the next, once all of it has been heard.
void Conversation::Core::finish_if_over() {
  while (!turns_.empty() && !is_ended) {
    auto& turn = turns_.front();
    while (!turn.pieces.empty() && turn.pieces.front().is_made &&
           (turn.pieces.front().is_spoken || turn.pieces.front().utterance == 0))
      turn.pieces.pop_front();
    const bool is_sounding = turn.kind == Turn::Kind::sound && performance.is_busy();
    if (!turn.has_all_words || !turn.pieces.empty() || !turn.tools.empty() || is_sounding) return;
    const bool ends_session = turn.ends_session;
    finish_front(Ending::whole);
    if (ends_session) return end(EndReason::persona_ended);
    begin_front();
  }
}

// Tells that the message is over, and remembers what of it was heard.
void Conversation::Core::finish_front(Ending ending) {
  end_thought(turns_.front());
  fail_tools(turns_.front(), "The turn was interrupted.");
  auto turn = std::move(turns_.front());
  turns_.pop_front();
  if (turn.kind == Turn::Kind::sound) return;
  if (!turn.spoken.empty()) {
    SpokenText told;
    told.message_id = turn.message_id;
    told.content_index = turn.content_index;
    told.is_end_of_speech = true;
    told.is_interrupted = ending == Ending::interrupted;
    told.correlation_id = turn.correlation_id;
    parts_.listener.speech_text(told);
  }
  // Calls and their results stay known; what was said beside them is in `spoken`.
  for (auto& message : turn.exchange) {
    if (message.role == ChatMessage::Role::persona) message.text.clear();
    remember(std::move(message));
  }
  if (!has_words(turn.spoken)) return;
  ChatMessage message;
  message.role = ChatMessage::Role::persona;
  message.text = std::move(turn.spoken);
  remember(std::move(message));
}

// Hands the client's sound on, in the turn under way.
void Conversation::Core::give_sound(Turn& turn) {
  if (!turn.waiting_sound.empty()) {
    if (turn.sound == 0) turn.sound = performance.open(turn.rate_hz);
    if (!performance.push(turn.sound, turn.waiting_sound) && !std::exchange(turn.has_warned, true))
      warn("More sound waits than may; some of it is not played.");
    turn.waiting_sound.clear();
  }
  if (turn.has_all_words) performance.close(turn.sound);
}

}  // namespace stagedoor::stage
