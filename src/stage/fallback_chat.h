// A language model, and who answers in its place where it does not.
//
// Rule chat-falls-back: where a language model fails before its first word or call, the one that
// stands in for it gets the same request, the client is told, and a scripted partner that stands in
// says so itself; once words have come, a failure is told, so that nothing is said twice.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <memory>

#include "stage/chat.h"
#include "stage/fallback_attempt.h"

namespace stagedoor::stage {

// Safe for concurrent use.
class FallbackChat : public Chat {
 public:
  FallbackChat(std::shared_ptr<Chat> engine, std::shared_ptr<Chat> stand_in,
               EngineFailed failed = {});

  std::unique_ptr<Job> answer(ChatRequest request, ChatSink sink) override;

 private:
  const std::shared_ptr<Chat> engine_, stand_in_;
  const EngineFailed failed_;
};

}  // namespace stagedoor::stage
