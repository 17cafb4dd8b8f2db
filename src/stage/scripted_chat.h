// A small partner that needs no model: it answers from what its persona was told.
//
// It greets, says its name, and answers questions for which the system prompt has a pair of lines:
//
//   Q: When do you open?
//   A: At nine, every day but Sunday.
//
// the one whose words are most like those of the user. To anything else it says that it is scripted
// and what it can be asked.
//
// Rule scripted-chat-is-honest: it says that it is scripted when it greets in words of its own,
// when it is asked who it is, when it stands in for a language model that has failed, and
// whenever it has no answer; and it makes nothing up: but for a few
// courtesies every word stands in its persona.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <memory>

#include "stage/chat.h"

namespace stagedoor::stage {

// Safe for concurrent use. Answers inside `answer`, on the caller's thread.
class ScriptedChat : public Chat {
 public:
  std::unique_ptr<Job> answer(ChatRequest request, ChatSink sink) override;
};

}  // namespace stagedoor::stage
