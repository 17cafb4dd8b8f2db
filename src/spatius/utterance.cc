#include "spatius/utterance.h"

#include <algorithm>

#include "motion.pb.h"
#include "spatius/flame.h"

namespace stagedoor::spatius {
namespace {

void write_names(message::NamedAnimation& named) {
  for (const auto name : stage::shape_names) named.add_names(name.data(), name.size());
  for (const auto* name : {"headPitch", "headYaw", "headRoll", "eyePitch", "eyeYaw"})
    named.add_names(name);
}

void write_named(const stage::Face& face, message::NamedFrame& frame) {
  auto& values = *frame.mutable_values();
  values.Reserve(static_cast<int>(stage::shape_count) + 5);
  values.Add(face.shapes.begin(), face.shapes.end());
  for (const auto angle :
       {face.head_pitch, face.head_yaw, face.head_roll, face.eye_pitch, face.eye_yaw})
    values.AddAlreadyReserved(angle);
}

message::ServerResponseAnimation& animation_of(message::Message& out, const FrameForm& form,
                                               const std::string& req_id) {
  out.set_type(message::MESSAGE_SERVER_RESPONSE_ANIMATION);
  auto& animation = *out.mutable_server_response_animation();
  animation.set_connection_id(form.connection_id);
  animation.set_req_id(req_id);
  return animation;
}

}  // namespace

Utterance::Utterance(std::string req_id, std::unique_ptr<stage::AudioInput> input, int rate_hz,
                     std::uint64_t seed)
    : req_id_(std::move(req_id)),
      input_(std::move(input)),
      rate_hz_(rate_hz),
      motion_(rate_hz, seed) {}

base::Result<base::Done> Utterance::hear(std::span<const char> bytes) {
  const auto before = samples_.size();
  auto heard = input_->push(bytes, samples_);
  samples_heard_ += samples_.size() - before;
  return heard;
}

base::Result<base::Done> Utterance::hear_end() {
  const auto before = samples_.size();
  auto heard = input_->finish(samples_);
  samples_heard_ += samples_.size() - before;
  end_heard_ = true;
  return heard;
}

bool Utterance::perform_slice() {
  const auto waiting = samples_.size() - performed_;
  if (waiting > 0) {
    const auto count = std::min(waiting, static_cast<std::size_t>(rate_hz_));
    motion_.push(std::span(samples_).subspan(performed_, count), faces_);
    performed_ += count;
    if (performed_ == samples_.size()) {
      samples_.clear();
      performed_ = 0;
      // One large message must not leave its memory behind for the rest of the utterance.
      if (samples_.capacity() > static_cast<std::size_t>(rate_hz_)) samples_.shrink_to_fit();
    }
    return true;
  }
  if (end_heard_ && !end_performed_) {
    motion_.finish(faces_);
    end_performed_ = true;
    return true;
  }
  return false;
}

std::string Utterance::take_message(const FrameForm& form) {
  const auto ready = faces_.size() - taken_;
  const auto count = std::min(ready, frames_in_message_max);
  const bool is_last = end_performed_ && count == ready && !is_over_;
  if (count == 0 && !is_last) return {};

  message::Message out;
  auto& animation = animation_of(out, form, req_id_);
  animation.set_end(is_last);
  auto& keyframes = *animation.mutable_animation()->mutable_keyframes();
  for (std::size_t i = 0; i < count; ++i) write_flame(faces_[taken_ + i], *keyframes.Add());
  if (form.with_named_shapes) {
    auto& named = *animation.mutable_named_animation();
    if (frames_taken_ == 0) write_names(named);
    named.set_first_frame(static_cast<std::uint32_t>(frames_taken_));
    for (std::size_t i = 0; i < count; ++i) write_named(faces_[taken_ + i], *named.add_frames());
  }
  taken_ += count;
  frames_taken_ += count;
  if (taken_ == faces_.size()) {
    faces_.clear();
    taken_ = 0;
  }
  is_over_ = is_last;
  return out.SerializeAsString();
}

std::string end_message(const FrameForm& form, const std::string& req_id) {
  message::Message out;
  animation_of(out, form, req_id).set_end(true);
  return out.SerializeAsString();
}

}  // namespace stagedoor::spatius
