#include "actions/hold_conversation.h"

#include <utility>

#include "actions/actor.h"
#include "rules/built_in.h"
#include "rules/test_mode.h"

namespace stagedoor::actions {
namespace {

rules::ConversationScope scope_of(const HoldConversation::Call& call) {
  return {.app_id = call.chosen.app->id, .environment = call.chosen.environment};
}

}  // namespace

rules::AuditEntry HoldConversation::entry(const Call& call, rules::AuditAction action,
                                          std::string_view id) const {
  return Actor(call.caller, call.peer, call.request_id)
      .entry(parts_.clock.now(), call.chosen.app->workspace_id, action, id, call.chosen.app->id);
}

base::Result<rules::Conversation> HoldConversation::begin(const Call& call, std::string avatar_id,
                                                          std::string settings) const {
  if (auto forced =
          rules::forced_refusal(rules::ForcedAt::minting, call.chosen.environment, avatar_id, {});
      !forced)
    return base::fail(forced.error());
  if (avatar_id.empty()) avatar_id = rules::built_in_avatars().front().id;
  const auto& app = *call.chosen.app;
  const auto environment = call.chosen.environment;
  if (!rules::is_test_avatar(environment, avatar_id) &&
      !rules::avatar_in({app.workspace_id, environment, app.id}, parts_.catalog, avatar_id))
    return base::fail(base::ErrorCode::avatar_unknown, "conversation with an unknown avatar",
                      "There is no avatar with the avatarId given.");
  rules::Conversation conversation;
  conversation.id = base::random_uuid(parts_.random);
  conversation.app_id = call.chosen.app->id;
  conversation.environment = call.chosen.environment;
  conversation.avatar_id = std::move(avatar_id);
  conversation.settings = std::move(settings);
  conversation.created_at = parts_.clock.now();
  const auto made = parts_.conversations.create(
      conversation, entry(call, rules::AuditAction::conversation_begin, conversation.id));
  if (!made) return base::fail(made.error());
  return conversation;
}

base::Result<rules::Conversation> HoldConversation::end(const Call& call,
                                                        std::string_view id) const {
  return parts_.conversations.end(scope_of(call), id,
                                  entry(call, rules::AuditAction::conversation_end, id));
}

base::Result<base::Done> HoldConversation::forget(const Call& call, std::string_view id) const {
  return parts_.conversations.remove(scope_of(call), id,
                                     entry(call, rules::AuditAction::conversation_remove, id));
}

}  // namespace stagedoor::actions
