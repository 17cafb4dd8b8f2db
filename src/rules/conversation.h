// A conversation with an avatar, and what was said in it.
//
// Rule conversation-of-one-app: a conversation is its app's and of one environment. For everyone
// else it is not found, as if it did not exist.
//
// Used by: actions/hold_conversation.h
// Kept by: store/sqlite_conversations.h
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "rules/app.h"
#include "rules/audit.h"

namespace stagedoor::rules {

inline constexpr std::size_t conversation_messages_shown_max = 1000;

struct Conversation {
  std::string id;  // a UUID
  std::string app_id;
  Environment environment = Environment::test;
  std::string avatar_id;
  std::string settings;  // canonical JSON (base/json_shape.h)
  base::Instant created_at;
  std::optional<base::Instant> ended_at;
};

struct ConversationMessage {
  std::string id;    // "msg_..."
  std::string role;  // user or assistant
  std::string content;
  base::Instant created_at;
};

// Whose conversations a call means.
struct ConversationScope {
  std::string app_id;
  Environment environment = Environment::test;
};

// Where they are kept. Safe for concurrent use; not from an event loop. Everything but `list`
// answers `not_found` for what is outside the scope.
class Conversations {
 public:
  virtual ~Conversations() = default;

  struct Whole {
    Conversation conversation;
    std::vector<ConversationMessage> messages;  // the first conversation_messages_shown_max
  };
  virtual base::Result<Whole> find(const ConversationScope& scope, std::string_view id) = 0;
  // The newest first, from the one after `after` on (empty: from the beginning).
  virtual base::Result<std::vector<Conversation>> list(const ConversationScope& scope,
                                                       std::string_view after,
                                                       std::int64_t count) = 0;

  // Each of these is durable, with its entry, when it returns.
  virtual base::Result<base::Done> create(const Conversation& conversation,
                                          const AuditEntry& entry) = 0;
  // Ended once: a second time changes nothing and is no error.
  virtual base::Result<Conversation> end(const ConversationScope& scope, std::string_view id,
                                         const AuditEntry& entry) = 0;
  // With all its messages.
  virtual base::Result<base::Done> remove(const ConversationScope& scope, std::string_view id,
                                          const AuditEntry& entry) = 0;
};

}  // namespace stagedoor::rules
