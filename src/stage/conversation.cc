// SPDX-License-Identifier: Apache-2.0

#include "stage/conversation.h"

#include <algorithm>
#include <utility>

#include "stage/conversation_core.h"

namespace stagedoor::stage {
namespace {

constexpr std::size_t interrupted_streams_max = 16;

VoiceActivity::Options activity_options(const VoiceDetection& detection) {
  return {.end_of_speech_sensitivity = detection.end_of_speech_sensitivity,
          .silence_max = detection.silence_before_auto_end_turn};
}

}  // namespace

void apply(const VoiceDetectionChange& change, VoiceDetection& to) {
  const auto set = [](auto& member, const auto& wanted) { member = wanted.value_or(member); };
  set(to.end_of_speech_sensitivity, change.end_of_speech_sensitivity);
  set(to.silence_before_skip_turn, change.silence_before_skip_turn);
  set(to.silence_before_session_end, change.silence_before_session_end);
  set(to.silence_before_auto_end_turn, change.silence_before_auto_end_turn);
}

Conversation::Core::Core(ConversationSettings settings, Parts parts)
    : performance({.seed = settings.seed}),
      settings_(std::move(settings)),
      parts_(std::move(parts)),
      activity_(activity_options(settings_.voice_detection)),
      to_listening_(performance_rate_hz, listening_rate_hz) {}

void Conversation::Core::start() {
  if (std::exchange(is_started_, true)) return;
  started_at_ = last_tick_at_ = parts_.clock.now();
  if (!parts_.speech.can_speak(settings_.voice, settings_.language)) {
    warn("No speech engine has this voice and language; its default is spoken.");
    settings_.voice.clear();
    if (!parts_.speech.can_speak({}, settings_.language)) settings_.language.clear();
  }
  using Greeting = ConversationSettings::Greeting;
  using Words = ConversationSettings::Words;
  if (settings_.words != Words::sound) check_recognizer_for(settings_.language);
  const bool has_message = settings_.initial_message && has_words(*settings_.initial_message);
  const bool can_greet =
      has_message || (!settings_.initial_message && parts_.chat && settings_.words == Words::chat);
  if (settings_.greeting == Greeting::skipped || settings_.words == Words::sound || !can_greet)
    return;
  auto* turn = add_turn(Turn::Kind::greeting, new_id());
  if (!turn) return;
  turn->is_interruptible = settings_.greeting != Greeting::uninterruptible;
  if (has_message) {
    add_words(*turn, *settings_.initial_message, {});
    end_words(*turn);
  } else {
    turn->prompt = "Greet the user in one or two short sentences.";
  }
  if (turns_.size() == 1) begin_front();
}

void Conversation::Core::check_recognizer_for(const std::string& language) {
  if (parts_.recognizer && !parts_.recognizer->understands(language))
    warn("The speech recogniser does not understand this language.");
}

void Conversation::Core::user_text(std::string text, std::string correlation_id) {
  if (text.size() > user_text_bytes_max) return warn("The message is too long; it was not read.");
  if (text.empty()) return;
  const bool is_answered = parts_.chat && settings_.words == ConversationSettings::Words::chat;
  if (is_answered && !may_be_answered())
    return warn("More is said than can be answered; this was not read.");
  sign_of_user();
  SpokenText told;
  told.message_id = correlation_id;
  told.content = text;
  told.role = Speaker::user;
  told.is_end_of_speech = true;
  told.correlation_id = correlation_id;
  parts_.listener.speech_text(told);
  if (may_interrupt()) interrupt_all();
  ChatMessage message;
  message.text = std::move(text);
  remember(std::move(message));
  if (!is_answered) return;
  if (!add_turn(Turn::Kind::answer, correlation_id)) return;
  if (turns_.size() == 1) begin_front();
}

void Conversation::Core::add_context(std::string text) {
  if (text.size() > user_text_bytes_max) return warn("The context is too long; it was not read.");
  ChatMessage message;
  message.role = ChatMessage::Role::system;
  message.text = std::move(text);
  remember(std::move(message));
}

void Conversation::Core::talk(std::string text, std::string correlation_id) {
  if (text.size() > waiting_text_bytes_max) return warn("The text is too long; it is not spoken.");
  if (!has_words(text)) return;
  sign_of_user();
  auto* turn = add_turn(Turn::Kind::talk, correlation_id.empty() ? new_id() : correlation_id);
  if (!turn) return;
  add_words(*turn, text, {});
  end_words(*turn);
  if (turns_.size() == 1) begin_front();
}

void Conversation::Core::talk_stream(TalkChunk chunk) {
  sign_of_user();
  const auto is_its = [&](const Turn& turn) {
    return turn.kind == Turn::Kind::talk_stream && turn.correlation_id == chunk.correlation_id &&
           !turn.has_all_words;
  };
  auto found = std::ranges::find_if(turns_, is_its);
  if (found == turns_.end()) {
    // What a client sends before it has heard of an interruption belongs to what was interrupted.
    if (!chunk.is_start &&
        std::ranges::find(interrupted_streams_, chunk.correlation_id) != interrupted_streams_.end())
      return;
    if (!add_turn(Turn::Kind::talk_stream, chunk.correlation_id)) return;
    found = turns_.end() - 1;
  }
  const auto number = found->number;
  found->last_sign_at = parts_.clock.now();
  if (found->waiting_bytes + found->sentences.held_bytes() + chunk.content.size() >
      waiting_text_bytes_max) {
    if (!std::exchange(found->has_warned, true))
      warn("More text waits than may; the rest is not spoken.");
  } else {
    add_words(*found, chunk.content, chunk.utterance_id);
  }
  if (chunk.is_end) end_words(*found);
  if (turns_.front().number == number) {
    speak_next();
    finish_if_over();
  }
}

void Conversation::Core::play_sound(std::span<const std::int16_t> samples, int rate_hz) {
  if (rate_hz < 8000 || rate_hz > performance_rate_hz)
    return warn("Sound is played at 8000 to 48000 Hz only.");
  sign_of_user();
  if (turns_.empty() || turns_.back().kind != Turn::Kind::sound || turns_.back().has_all_words ||
      turns_.back().rate_hz != rate_hz) {
    end_sound();
    auto* turn = add_turn(Turn::Kind::sound, new_id());
    if (!turn) return;
    turn->rate_hz = rate_hz;
  }
  auto& turn = turns_.back();
  turn.last_sign_at = parts_.clock.now();
  constexpr std::size_t waiting_samples_max = 2u << 20;
  if (turn.waiting_sound.size() + samples.size() > waiting_samples_max) {
    if (!std::exchange(turn.has_warned, true))
      warn("More sound waits than may; some of it is not played.");
    return;
  }
  turn.waiting_sound.insert(turn.waiting_sound.end(), samples.begin(), samples.end());
  if (&turn == &turns_.front()) give_sound(turn);
}

void Conversation::Core::end_sound() {
  if (turns_.empty() || turns_.back().kind != Turn::Kind::sound) return;
  turns_.back().has_all_words = true;
  if (turns_.size() == 1) give_sound(turns_.back());
}

void Conversation::Core::interrupt() {
  sign_of_user();
  if (may_interrupt()) interrupt_all();
}

void Conversation::Core::update(const ConversationUpdate& change) {
  const auto language = change.language.value_or(settings_.language);
  const auto voice = change.voice.value_or(settings_.voice);
  if (parts_.speech.can_speak(voice, language)) {
    settings_.voice = voice;
    settings_.language = language;
  } else if (parts_.speech.can_speak({}, language)) {
    warn("No speech engine has this voice in this language; its default voice is spoken.");
    settings_.voice.clear();
    settings_.language = language;
  } else {
    warn("No speech engine has this voice and language; they stay as they were.");
  }
  if (change.language) check_recognizer_for(*change.language);
  if (change.speed) settings_.speed = std::clamp(*change.speed, 0.5, 2.0);
  apply(change.voice_detection, settings_.voice_detection);
  activity_.set(activity_options(settings_.voice_detection));
}

void Conversation::Core::end(EndReason reason) {
  if (std::exchange(is_ended, true)) return;
  if (!turns_.empty()) {
    end_thought(turns_.front());
    fail_tools(turns_.front(), "The session has ended.");
  }
  turns_.clear();
  unawaited_.clear();
  recognitions_.clear();
  performance.interrupt();
  parts_.listener.ended(reason);
}

// The oldest goes where there is too much.
void Conversation::Core::remember(ChatMessage message) {
  const auto size_of = [](const ChatMessage& held) {
    std::size_t bytes = held.text.size() + 64;
    for (const auto& call : held.tool_calls) bytes += call.arguments.size() + call.name.size();
    return bytes;
  };
  history_bytes_ += size_of(message);
  history.push_back(std::move(message));
  // A tool's result makes no sense without its call.
  while (history.size() > 1 &&
         (history.size() > history_messages_max || history_bytes_ > history_bytes_max ||
          history.front().role == ChatMessage::Role::tool)) {
    history_bytes_ -= size_of(history.front());
    history.erase(history.begin());
  }
}

bool Conversation::Core::may_interrupt() const {
  if (turns_.empty()) return true;
  const auto& turn = turns_.front();
  return turn.is_interruptible && std::ranges::none_of(turn.tools, [](const PendingTool& tool) {
           return tool.interruptions == ConversationTool::Interruptions::refused;
         });
}

bool Conversation::Core::may_be_answered() {
  return rules::take(answers_arrival_nanos_, answers_rate_max, parts_.clock.now()).is_allowed;
}

// True, and it counts, unless too much was asked for already.
bool Conversation::Core::may_be_spoken(std::size_t text_bytes) {
  constexpr auto time_of = [](std::size_t bytes) {
    return std::chrono::milliseconds(bytes * 1000 / speech_bytes_per_second);
  };
  constexpr std::chrono::milliseconds none{0},
      all = time_of(speech_bytes_burst),
      most = all + time_of(speech_bytes_of_request + Sentences::piece_bytes_max);
  const auto now = parts_.clock.now();
  // It lies further ahead only where the clock was set back.
  const auto due = std::clamp<std::chrono::milliseconds>(speech_due_at_ - now, none, most);
  speech_due_at_ = now + due;
  if (due >= all) {
    if (!std::exchange(is_speech_held_, true))
      warn("More is given to be spoken than can be heard; it waits.");
    return false;
  }
  is_speech_held_ = false;
  speech_due_at_ += time_of(speech_bytes_of_request + text_bytes);
  return true;
}

void Conversation::Core::interrupt_all() {
  for (const auto& turn : turns_) {
    if (turn.kind != Turn::Kind::talk_stream) continue;
    parts_.listener.talk_stream_interrupted(turn.correlation_id);
    interrupted_streams_.push_back(turn.correlation_id);
    if (interrupted_streams_.size() > interrupted_streams_max)
      interrupted_streams_.erase(interrupted_streams_.begin());
  }
  performance.interrupt();
  if (!turns_.empty()) finish_front(Ending::interrupted);
  turns_.clear();
}

std::size_t Conversation::Core::held_bytes() const {
  std::size_t bytes = sizeof *this + performance.held_bytes() + history_bytes_;
  for (const auto& turn : turns_) {
    bytes += sizeof turn + turn.waiting_bytes + turn.spoken.size() +
             turn.waiting_sound.capacity() * sizeof(std::int16_t);
  }
  return bytes;
}

Conversation::Conversation(ConversationSettings settings, Parts parts)
    : core_(std::make_shared<Core>(std::move(settings), std::move(parts))) {}
// What engines still send finds nobody.
Conversation::~Conversation() = default;

void Conversation::start() {
  if (!core_->is_ended) core_->start();
}
void Conversation::user_text(std::string text) {
  if (!core_->is_ended) core_->user_text(std::move(text), core_->new_id());
}
void Conversation::hear(std::span<const std::int16_t> samples) {
  if (!core_->is_ended) core_->hear(samples);
}
void Conversation::add_context(std::string text) {
  if (!core_->is_ended) core_->add_context(std::move(text));
}
void Conversation::talk(std::string text, std::string correlation_id) {
  if (!core_->is_ended) core_->talk(std::move(text), std::move(correlation_id));
}
void Conversation::talk_stream(TalkChunk chunk) {
  if (!core_->is_ended) core_->talk_stream(std::move(chunk));
}
void Conversation::play_sound(std::span<const std::int16_t> samples, int rate_hz) {
  if (!core_->is_ended) core_->play_sound(samples, rate_hz);
}
void Conversation::end_sound() {
  if (!core_->is_ended) core_->end_sound();
}
void Conversation::interrupt() {
  if (!core_->is_ended) core_->interrupt();
}
void Conversation::tool_result(std::string_view call_id, base::Result<std::string> result) {
  if (!core_->is_ended) core_->client_tool_result(call_id, std::move(result));
}
void Conversation::update(const ConversationUpdate& change) {
  if (!core_->is_ended) core_->update(change);
}
void Conversation::stop() {
  core_->end(EndReason::stopped);
}
void Conversation::next_sound(std::span<std::int16_t, tick_samples> out) {
  core_->next_sound(out);
}
Face Conversation::face() {
  return core_->performance.face();
}
bool Conversation::is_ended() const {
  return core_->is_ended;
}
const ConversationSettings& Conversation::settings() const {
  return core_->settings();
}
const std::vector<ChatMessage>& Conversation::history() const {
  return core_->history;
}
std::size_t Conversation::held_bytes() const {
  return core_->held_bytes();
}

}  // namespace stagedoor::stage
