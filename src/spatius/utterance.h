// One utterance on a live session: its sound, its motion, and the messages that carry the faces.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "stage/audio_input.h"
#include "stage/motion.h"

namespace stagedoor::spatius {

// How a session asked for its frames.
struct FrameForm {
  std::string connection_id;
  bool with_named_shapes = false;
};

// Not safe for concurrent use.
class Utterance {
 public:
  static constexpr std::size_t frames_in_message_max = 100;

  Utterance(std::string req_id, std::unique_ptr<stage::AudioInput> input, int rate_hz,
            std::uint64_t seed);

  const std::string& req_id() const { return req_id_; }

  // Decodes sound; its motion is then made slice by slice.
  base::Result<base::Done> hear(std::span<const char> bytes);
  base::Result<base::Done> hear_end();

  // Makes the motion for at most a second of the sound that waits. False: nothing waits.
  bool perform_slice();

  // A serialised message with the frames that are ready, at most 100. Empty where there are none,
  // unless it is the last: `hear_end` was called and no sound or frame is left over.
  std::string take_message(const FrameForm& form);
  bool is_over() const { return is_over_; }

  // An interrupt: whoever performs it looks here between two messages.
  void stop() { is_stopped_ = true; }
  bool is_stopped() const { return is_stopped_; }
  // The client has said that nothing more comes for it.
  void note_end() { end_is_noted_ = true; }
  bool end_is_noted() const { return end_is_noted_; }

  std::size_t frames_taken() const { return frames_taken_; }
  std::uint64_t audio_millis() const { return samples_heard_ * 1000 / rate_hz_; }

 private:
  std::string req_id_;
  std::unique_ptr<stage::AudioInput> input_;
  int rate_hz_;
  stage::Motion motion_;
  std::vector<std::int16_t> samples_;  // heard, not yet performed
  std::size_t performed_ = 0;          // of samples_
  std::uint64_t samples_heard_ = 0;
  std::vector<stage::Face> faces_;  // performed, not yet taken
  std::size_t taken_ = 0;           // of faces_
  std::size_t frames_taken_ = 0;
  bool end_heard_ = false, end_performed_ = false, is_over_ = false;
  bool is_stopped_ = false, end_is_noted_ = false;
};

// The message that ends an utterance without frames.
std::string end_message(const FrameForm& form, const std::string& req_id);

}  // namespace stagedoor::spatius
