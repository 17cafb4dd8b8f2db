// The bodies that Avatarium clients send, in the newer spelling and the older one.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_shape.h"
#include "base/result.h"

namespace stagedoor::avatarium {

struct BodyRefusal {
  base::Error error;
  std::vector<base::FieldFault> faults;
};
template <class T>
using ReadBody = std::expected<T, BodyRefusal>;

struct NewConversation {
  std::string avatar_id;  // empty: not said
  std::string settings;   // canonical JSON: provider, ttsProvider, systemPrompt
};
// `avatar_id`, `ai_provider`, `tts_provider` and `system_prompt` are read as the newer names;
// `unsupported` for a provider's key of the caller's own (`byokAI`).
ReadBody<NewConversation> read_new_conversation(std::string_view text);

// `content`, and how the reply is wanted.
ReadBody<std::string> read_new_message(std::string_view text);

// What is to be said, as canonical JSON; `text` may be left out for a preview.
enum class Speech { wanted, preview };
ReadBody<std::string> read_speech(std::string_view text, Speech kind);

struct NewAvatar {
  std::string slug;
  std::string content;  // canonical JSON
  bool is_public;
};
ReadBody<NewAvatar> read_new_avatar(std::string_view text);

}  // namespace stagedoor::avatarium
