// Begins, ends and forgets conversations.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "actions/choose_app.h"
#include "base/clock.h"
#include "base/random.h"
#include "rules/app.h"
#include "rules/caller.h"
#include "rules/conversation.h"

namespace stagedoor::actions {

// Safe for concurrent use; not from an event loop.
class HoldConversation {
 public:
  struct Parts {
    const rules::Catalog& catalog;
    rules::Conversations& conversations;
    const base::Clock& clock;
    base::Random& random;
  };
  explicit HoldConversation(Parts parts) : parts_(parts) {}

  struct Call {
    const rules::Caller& caller;
    const ChosenApp& chosen;
    std::string_view peer, request_id;
  };
  // `avatar_id` empty: the built-in one; `avatar_unknown` where the workspace has none of that id.
  base::Result<rules::Conversation> begin(const Call& call, std::string avatar_id,
                                          std::string settings) const;
  base::Result<rules::Conversation> end(const Call& call, std::string_view id) const;
  base::Result<base::Done> forget(const Call& call, std::string_view id) const;

 private:
  rules::AuditEntry entry(const Call& call, rules::AuditAction action, std::string_view id) const;
  Parts parts_;
};

}  // namespace stagedoor::actions
