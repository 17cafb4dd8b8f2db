// The user's voice, and the time in which nobody speaks.
//
// SPDX-License-Identifier: Apache-2.0

#include <algorithm>
#include <cmath>
#include <utility>

#include "stage/conversation_core.h"

namespace stagedoor::stage {
namespace {

constexpr std::size_t before_speech_samples = listening_rate_hz * 3 / 10;  // 300 ms
constexpr std::size_t recognitions_max = 4;
// How often the persona speaks on its own before the user has given a sign.
constexpr int unasked_turns_max = 3;
// A client that has begun words or sound, and then gives none for so long, has ended them.
constexpr std::chrono::seconds abandoned_after{10};
// A loop that stood still for long was not silence.
constexpr std::chrono::milliseconds tick_max{1000};

}  // namespace

void Conversation::Core::hear(std::span<const std::int16_t> samples) {
  if (!parts_.voice_detector || settings_.words == ConversationSettings::Words::sound) return;
  constexpr std::size_t at_once = performance_rate_hz;  // Bounds the memory kept.
  while (!samples.empty() && !is_ended) {
    const auto part = samples.first(std::min(samples.size(), at_once));
    samples = samples.subspan(part.size());
    resampled_.clear();
    to_listening_.push(part, resampled_);
    for (const float value : resampled_) {
      const auto sample = std::clamp(std::lround(value * 32768.0F), -32768L, 32767L);
      unheard_.push_back(static_cast<std::int16_t>(sample));
      if (unheard_.size() < voice_frame_samples) continue;
      hear_frame(
          std::span<const std::int16_t, voice_frame_samples>(unheard_.data(), voice_frame_samples));
      unheard_.clear();
    }
  }
}

void Conversation::Core::hear_frame(std::span<const std::int16_t, voice_frame_samples> frame) {
  const auto change = activity_.push(parts_.voice_detector->hears_voice(frame));
  if (!is_recording_) {
    just_heard_.insert(just_heard_.end(), frame.begin(), frame.end());
    while (just_heard_.size() > before_speech_samples) just_heard_.pop_front();
  } else if (!recognitions_.empty() && recognitions_.back().recognition) {
    recognitions_.back().recognition->push(frame);
  }
  if (change == VoiceActivity::Change::begun) on_voice_begun();
  if (change == VoiceActivity::Change::ended) on_voice_ended();
}

void Conversation::Core::on_voice_begun() {
  sign_of_user();
  voice_correlation_id_ = new_id();
  parts_.listener.user_speech_started(voice_correlation_id_);
  if (may_interrupt()) interrupt_all();
  if (!parts_.recognizer) {
    if (!std::exchange(has_told_of_deafness_, true))
      warn("What is said aloud is not understood here: there is no speech recogniser.");
    return;
  }
  if (recognitions_.size() >= recognitions_max)
    return warn("What was said before is not understood yet; this is not listened to.");
  is_recording_ = true;
  Heard heard;
  heard.number = ++last_number_;
  heard.correlation_id = voice_correlation_id_;
  auto sink = [weak = weak_from_this(), post = parts_.post,
               number = heard.number](RecognitionEvent event) {
    post([weak, number, event = std::move(event)]() mutable {
      const auto core = weak.lock();
      if (core && !core->is_ended) core->on_recognized(number, std::move(event));
    });
  };
  heard.recognition = parts_.recognizer->listen(settings_.language, std::move(sink));
  const std::vector<std::int16_t> before(just_heard_.begin(), just_heard_.end());
  heard.recognition->push(before);
  just_heard_.clear();
  recognitions_.push_back(std::move(heard));
}

void Conversation::Core::on_voice_ended() {
  sign_of_user();
  parts_.listener.user_speech_ended(voice_correlation_id_);
  if (!std::exchange(is_recording_, false) || recognitions_.empty()) return;
  recognitions_.back().recognition->finish();
}

void Conversation::Core::on_recognized(std::uint64_t number, RecognitionEvent event) {
  const auto found = std::ranges::find(recognitions_, number, &Heard::number);
  if (found == recognitions_.end()) return;
  const auto heard = std::move(*found);
  const bool is_last = found + 1 == recognitions_.end();
  recognitions_.erase(found);
  if (is_last) is_recording_ = false;
  if (std::holds_alternative<base::Error>(event)) return warn("What was said was not understood.");
  auto& words = std::get<RecognizedText>(event);
  if (words.is_by_stand_in)
    warn("The speech recogniser did not answer; another one has listened in its place.");
  if (!words.text.empty()) user_text(std::move(words.text), heard.correlation_id);
}

bool Conversation::Core::is_quiet() const {
  return turns_.empty() && recognitions_.empty() && !activity_.is_speaking();
}

void Conversation::Core::sign_of_user() {
  quiet_ = user_quiet_ = std::chrono::milliseconds(0);
  unasked_turns_ = 0;
}

void Conversation::Core::end_abandoned(Turn& turn) {
  const bool is_streamed = turn.kind == Turn::Kind::talk_stream || turn.kind == Turn::Kind::sound;
  if (!is_streamed || turn.has_all_words || !turn.pieces.empty() ||
      parts_.clock.now() - turn.last_sign_at < abandoned_after + performance.queued())
    return;
  end_words(turn);
  if (turn.kind == Turn::Kind::sound) give_sound(turn);
}

void Conversation::Core::keep_time() {
  const auto now = parts_.clock.now();
  const auto passed =
      std::clamp(now - std::exchange(last_tick_at_, now), std::chrono::milliseconds(0), tick_max);
  if (settings_.length_max && now - started_at_ >= *settings_.length_max)
    return end(EndReason::length_reached);
  check_tool_times();
  if (!turns_.empty()) end_abandoned(turns_.front());
  if (is_ended) return;
  if (!is_quiet()) {
    quiet_ = std::chrono::milliseconds(0);
    return;
  }
  quiet_ += passed;
  user_quiet_ += passed;
  const auto& detection = settings_.voice_detection;
  const auto is_reached = [](auto silence, auto limit) {
    return limit.count() > 0 && silence >= limit;
  };
  if (is_reached(user_quiet_, detection.silence_before_session_end)) return end(EndReason::silence);
  if (!is_reached(quiet_, detection.silence_before_skip_turn) || !parts_.chat ||
      settings_.words != ConversationSettings::Words::chat || unasked_turns_ >= unasked_turns_max)
    return;
  ++unasked_turns_;
  if (auto* turn = add_turn(Turn::Kind::answer, new_id())) {
    turn->prompt = "The user has said nothing for a while. Say something short to go on.";
    begin_front();
  }
}

}  // namespace stagedoor::stage
