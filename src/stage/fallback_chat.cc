// SPDX-License-Identifier: Apache-2.0

#include "stage/fallback_chat.h"

#include <utility>

namespace stagedoor::stage {

FallbackChat::FallbackChat(std::shared_ptr<Chat> engine, std::shared_ptr<Chat> stand_in,
                           EngineFailed failed)
    : engine_(std::move(engine)), stand_in_(std::move(stand_in)), failed_(std::move(failed)) {}

std::unique_ptr<Job> FallbackChat::answer(ChatRequest request, ChatSink sink) {
  using Attempt = FallbackAttempt<ChatEvent>;
  Attempt::Parts parts{.engines = {},
                       .has_begun =
                           [](const ChatEvent& event) {
                             return std::holds_alternative<ChatDelta>(event) ||
                                    std::holds_alternative<ChatToolCall>(event);
                           },
                       .failed = failed_};
  parts.engines.emplace_back([engine = engine_, request](ChatSink told) mutable {
    return engine->answer(std::move(request), std::move(told));
  });
  parts.engines.emplace_back(
      [engine = stand_in_, request = std::move(request)](ChatSink told) mutable {
        request.is_for_stand_in = true;
        // Its own default: the name is the other engine's.
        request.model.clear();
        told(ChatStandIn{});
        return engine->answer(std::move(request), std::move(told));
      });
  return Attempt::start(std::move(parts), std::move(sink));
}

}  // namespace stagedoor::stage
