// The first message of a live session: what sound will come, and how the faces are wanted.
//
// Contract 3.3 to 3.5. Ours, in extra_params: "stagedoor.blendshapes" = "arkit52" adds the frames
// as named blendshapes; "stagedoor.seed" = a number makes blinks and head movement repeatable.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "motion.pb.h"
#include "stage/audio_input.h"

namespace stagedoor::spatius {

struct SessionConfiguration {
  stage::AudioFormat format = stage::AudioFormat::pcm_s16le;
  int rate_hz = 16000;
  bool wants_named_shapes = false;
  std::optional<std::uint64_t> seed;

  // What blinks and head movement of an utterance come from.
  std::uint64_t seed_for(std::string_view req_id) const;
};

// The vendor's clients look at a ServerError's code first, and take 3, 14 and 16 for classes of
// their own; with 0 they read the words.
inline constexpr std::int32_t read_the_words = 0;

// A ServerError: the vendor's clients tell the cases apart by these numbers and words.
struct ConfigurationRefusal {
  std::int32_t code;
  std::string text;
};

std::expected<SessionConfiguration, ConfigurationRefusal> read_configuration(
    const message::Message& first);

}  // namespace stagedoor::spatius
