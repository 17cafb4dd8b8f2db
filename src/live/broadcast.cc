#include "live/broadcast.h"

#include <algorithm>
#include <array>
#include <utility>

namespace stagedoor::live {
namespace {

// After a longer stall the sound goes on from where it should be, with a gap.
constexpr std::uint64_t ticks_made_up_max = 5;
constexpr double kilobits_min = 150;

}  // namespace

Broadcast::Broadcast(const Parts& parts, int kilobits_per_second)
    : parts_(parts),
      kilobits_max_(kilobits_per_second),
      kilobits_(kilobits_per_second),
      place_(parts.pictures, [this] { send_picture(); }) {}

void Broadcast::on_beat(const media::Beat& beat) {
  // What a stall of the whole machine left out is not made up: the clocks go on.
  const auto missed = beat.periods > ticks_made_up_max ? beat.periods - ticks_made_up_max : 0;
  const auto pictures_before = ticks_ / 2;
  ticks_ += missed;
  for (auto period = missed; period < beat.periods; ++period) {
    send_sound();
    ++ticks_;
  }
  if (const auto due = ticks_ / 2 - pictures_before; due > 0) {
    parts_.counts.pictures_left_out += due - 1;
    take_picture();
  }
  follow_loss();
}

void Broadcast::send_sound() {
  std::array<std::int16_t, stage::tick_samples> samples{};
  parts_.conversation.next_sound(samples);
  const auto packet = parts_.sound_encoder.packet(samples);
  if (packet.empty()) return;
  const media::SampleTime at(static_cast<std::int64_t>(ticks_ * stage::tick_samples));
  if (parts_.peer.send_sound(packet, at)) ++parts_.counts.sound_packets;
}

void Broadcast::take_picture() {
  if (waiting_) ++parts_.counts.pictures_left_out;
  // The face goes on whether or not it is shown. A picture is for the two ticks of sound before.
  waiting_ = Picture{parts_.conversation.face(), static_cast<std::int64_t>(ticks_ / 2) - 1};
  place_.wait();
}

void Broadcast::send_picture() {
  const auto picture = std::exchange(waiting_, std::nullopt);
  if (!picture) return;
  const auto key = std::exchange(key_frame_, stage::KeyFrame::when_needed);
  const auto frame = parts_.camera.picture(picture->face, picture->number, key);
  if (frame.empty()) return;
  const media::SampleTime at(picture->number * 2 * static_cast<std::int64_t>(stage::tick_samples));
  if (parts_.peer.send_picture(frame, at)) {
    ++parts_.counts.pictures;
  } else {
    // A later picture would build on one that nobody has.
    key_frame_ = stage::KeyFrame::now;
  }
}

void Broadcast::follow_loss() {
  const auto& path = parts_.peer.path();
  if (path.reports == reports_seen_) return;
  reports_seen_ = path.reports;
  if (path.fraction_lost > 0.1) {
    kilobits_ = std::max(std::min(kilobits_min, kilobits_max_), kilobits_ * 2 / 3);
  } else if (path.fraction_lost < 0.02) {
    kilobits_ = std::min(kilobits_max_, kilobits_ * 1.05);
  }
  parts_.camera.set_kilobits_per_second(static_cast<int>(kilobits_));
  parts_.sound_encoder.set_loss(static_cast<float>(path.fraction_lost));
}

}  // namespace stagedoor::live
