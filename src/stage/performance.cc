// SPDX-License-Identifier: Apache-2.0

#include "stage/performance.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "stage/resampler.h"

namespace stagedoor::stage {
namespace {

constexpr std::size_t samples_per_face = performance_rate_hz / frames_per_second;
constexpr std::size_t fade_samples = performance_rate_hz / 200;  // 5 ms
// After sound came late this much more is waited for, so that it does not stutter.
constexpr std::size_t refill_samples = 2 * samples_per_face;
// What is prepared ahead of what is played: the lips' look-ahead, a face, a tick and the refill.
constexpr std::size_t ahead_samples =
    performance_rate_hz / 5 + samples_per_face + tick_samples + refill_samples;
constexpr float mouth_rest_share = 0.42F;  // of the mouth's shapes is left, a face later

std::int16_t to_sample(float value) {
  return static_cast<std::int16_t>(std::clamp(std::lround(value * 32768.0F), -32768L, 32767L));
}

}  // namespace

// One utterance: sound as it came, and the stretch of it that is ready at 48 kHz with its lips.
class Performance::Utterance {
 public:
  Utterance(UtteranceId given, int rate)
      : id(given),
        rate_hz_(std::clamp(rate, 8000, performance_rate_hz)),
        lips_(performance_rate_hz) {
    if (rate_hz_ != performance_rate_hz) resampler_.emplace(rate_hz_, performance_rate_hz);
  }

  void push(std::span<const std::int16_t> samples) {
    came_.insert(came_.end(), samples.begin(), samples.end());
    total_ += samples.size();
  }

  // Makes ready what the next tick needs.
  void prepare() {
    while (ready_.size() < ahead_samples && taken_ < came_.size()) take(came_.size() - taken_);
    if (taken_ > 0 && taken_ * 2 >= came_.size()) {
      came_.erase(came_.begin(), came_.begin() + static_cast<std::ptrdiff_t>(taken_));
      taken_ = 0;
    }
    if (is_closed && taken_ >= came_.size()) finish();
  }

  // Whether the next tick's sound and its face are known.
  bool is_ready() {
    const bool is_enough =
        ready_.size() >= (is_late_ ? refill_samples : 0) + tick_samples &&
        played_ / samples_per_face + (is_late_ ? 2 : 0) < first_frame_ + frames_.size();
    is_late_ = !is_finished_ && !is_enough && (is_late_ || played_ > 0);
    return is_finished_ || is_enough;
  }

  // Moves up to out.size() samples there; returns how many.
  std::size_t play(std::span<std::int16_t> out) {
    const auto count = std::min(out.size(), ready_.size());
    std::copy_n(ready_.begin(), count, out.begin());
    ready_.erase(ready_.begin(), ready_.begin() + static_cast<std::ptrdiff_t>(count));
    played_ += count;
    return count;
  }

  // The lips for the sound that ends at what has been played: of the moment that is nearest to the
  // middle of the last 40 ms.
  std::optional<LipFrame> lips() {
    const auto moment = (played_ > tick_samples ? played_ - tick_samples : 0) / samples_per_face;
    while (first_frame_ < moment && frames_.size() > 1) {
      frames_.pop_front();
      ++first_frame_;
    }
    if (frames_.empty() || moment < first_frame_) return std::nullopt;
    return frames_.front();
  }

  bool is_over() const { return is_finished_ && ready_.empty(); }
  std::int64_t played_samples() const {
    return static_cast<std::int64_t>(
        std::min<std::uint64_t>(played_ * rate_hz_ / performance_rate_hz, total_));
  }
  std::chrono::milliseconds waiting() const {
    const auto came = (came_.size() - taken_) * 1000 / static_cast<std::size_t>(rate_hz_);
    return std::chrono::milliseconds(came + ready_.size() * 1000 / performance_rate_hz);
  }
  std::size_t waiting_bytes() const { return (came_.size() - taken_) * sizeof(std::int16_t); }
  std::size_t held_bytes() const {
    return sizeof *this + came_.capacity() * sizeof(std::int16_t) +
           ready_.size() * sizeof(std::int16_t) + frames_.size() * sizeof(LipFrame) +
           lips_.held_bytes() + (resampler_ ? resampler_->held_bytes() : 0);
  }

  const UtteranceId id;
  bool is_closed = false, has_begun = false;

 private:
  void take(std::size_t available) {
    const auto missing =
        (ahead_samples - ready_.size()) * static_cast<std::size_t>(rate_hz_) / performance_rate_hz;
    const auto count = std::min(available, missing + 1);
    hear(std::span(came_).subspan(taken_, count));
    taken_ += count;
  }

  void hear(std::span<const std::int16_t> samples) {
    fresh_.clear();
    if (resampler_) {
      resampled_.clear();
      resampler_->push(samples, resampled_);
      for (const float value : resampled_) fresh_.push_back(to_sample(value));
    } else {
      fresh_.assign(samples.begin(), samples.end());
    }
    admit();
  }

  // Appends the fresh samples to what is ready, and their lips.
  void admit() {
    if (is_closed && taken_ >= came_.size()) {
      const auto all = total_ * performance_rate_hz / static_cast<std::uint64_t>(rate_hz_);
      fresh_.resize(std::min<std::uint64_t>(fresh_.size(), all - std::min(all, made_)));
    }
    made_ += fresh_.size();
    ready_.insert(ready_.end(), fresh_.begin(), fresh_.end());
    lip_frames_.clear();
    lips_.push(fresh_, lip_frames_);
    frames_.insert(frames_.end(), lip_frames_.begin(), lip_frames_.end());
  }

  // No more comes: what resampler and lips hold back follows.
  void finish() {
    if (std::exchange(is_finished_, true)) return;
    if (resampler_) {
      const std::vector<std::int16_t> silence(
          static_cast<std::size_t>(resampler_->samples_ahead()) + 1);
      hear(silence);
    }
    lip_frames_.clear();
    lips_.finish(lip_frames_);
    frames_.insert(frames_.end(), lip_frames_.begin(), lip_frames_.end());
  }

  int rate_hz_;
  std::vector<std::int16_t> came_;
  std::size_t taken_ = 0;  // of came_
  std::uint64_t total_ = 0, made_ = 0, played_ = 0;
  std::optional<Resampler> resampler_;
  LipMotion lips_;
  std::deque<std::int16_t> ready_;
  std::deque<LipFrame> frames_;
  std::uint64_t first_frame_ = 0;
  bool is_finished_ = false, is_late_ = false;
  // Kept for their memory.
  std::vector<float> resampled_;
  std::vector<std::int16_t> fresh_;
  std::vector<LipFrame> lip_frames_;
};

Performance::Performance(Options options) : options_(options), life_(options.seed) {}
Performance::~Performance() = default;

Performance::Utterance* Performance::find(UtteranceId utterance) {
  const auto found =
      std::ranges::find(queue_, utterance, [](const auto& held) { return held->id; });
  return found == queue_.end() ? nullptr : found->get();
}

UtteranceId Performance::open(int rate_hz) {
  if (queue_.size() >= options_.utterances_max) return 0;
  queue_.push_back(std::make_unique<Utterance>(++last_id_, rate_hz));
  return last_id_;
}

bool Performance::push(UtteranceId utterance, std::span<const std::int16_t> samples) {
  auto* found = find(utterance);
  if (!found || found->is_closed) return false;
  std::size_t waiting = samples.size_bytes();
  for (const auto& held : queue_) waiting += held->waiting_bytes();
  if (waiting > options_.queued_bytes_max) return false;
  found->push(samples);
  return true;
}

void Performance::close(UtteranceId utterance) {
  if (auto* found = find(utterance)) found->is_closed = true;
}

void Performance::interrupt() {
  // Where the last tick was silent there is nothing to fade.
  if (wanted_ && !queue_.empty() && queue_.front()->has_begun) {
    fading_.resize(fade_samples);
    fading_.resize(queue_.front()->play(fading_));
  }
  queue_.clear();
  events_.clear();
  wanted_.reset();
}

void Performance::note(PerformanceEvent::Kind kind, const Utterance& utterance) {
  events_.push_back(
      {.kind = kind, .utterance = utterance.id, .played_samples = utterance.played_samples()});
}

void Performance::play(Utterance& utterance, std::span<std::int16_t, tick_samples> out) {
  if (!std::exchange(utterance.has_begun, true)) note(PerformanceEvent::Kind::began, utterance);
  if (utterance.play(out) == 0) return;
  wanted_ = utterance.lips();
  note(PerformanceEvent::Kind::progressed, utterance);
}

void Performance::next_sound(std::span<std::int16_t, tick_samples> out) {
  std::ranges::fill(out, 0);
  if (!fading_.empty()) {
    const auto length = static_cast<float>(fading_.size());
    for (std::size_t i = 0; i < fading_.size(); ++i) {
      const float share = 1 - static_cast<float>(i + 1) / length;
      out[i] = static_cast<std::int16_t>(static_cast<float>(fading_[i]) * share);
    }
    fading_.clear();
    return;
  }
  wanted_.reset();
  while (!queue_.empty()) {
    auto& utterance = *queue_.front();
    utterance.prepare();
    if (!utterance.is_ready()) return;
    const bool had_sound = !utterance.is_over();
    play(utterance, out);
    if (!utterance.is_over()) return;
    note(PerformanceEvent::Kind::ended, utterance);
    queue_.pop_front();
    if (had_sound) return;
  }
}

// The mouth follows the sound; without any it goes to rest.
Face Performance::face() {
  if (wanted_) {
    shown_ = *wanted_;
  } else {
    for (auto& shape : shown_.face.shapes) shape = shape < 0.004F ? 0 : shape * mouth_rest_share;
    shown_.stress *= mouth_rest_share;
  }
  Face face = shown_.face;
  life_.write(shown_.stress, face);
  return face;
}

std::vector<PerformanceEvent> Performance::take_events() {
  return std::exchange(events_, {});
}

std::chrono::milliseconds Performance::queued() const {
  std::chrono::milliseconds all{0};
  for (const auto& utterance : queue_) all += utterance->waiting();
  return all;
}

std::size_t Performance::held_bytes() const {
  std::size_t bytes = sizeof *this + fading_.capacity() * sizeof(std::int16_t);
  for (const auto& utterance : queue_) bytes += utterance->held_bytes();
  return bytes;
}

}  // namespace stagedoor::stage
