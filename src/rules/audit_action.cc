#include "rules/audit_action.h"

#include <array>

namespace stagedoor::rules {
namespace {

constexpr auto all = std::to_array<std::string_view>({
    "account.change_password",
    "account.create",
    "account.log_in",
    "account.log_out",
    "account.log_out_everywhere",
    "account.refresh",
    "api_key.create",
    "api_key.freeze",
    "api_key.import",
    "api_key.revoke",
    "api_key.rotate",
    "api_key.unfreeze",
    "app.change",
    "app.create",
    "app.rotate_keys",
    "audit.fold",
    "audit.read",
    "audit.renew_key",
    "avatar.change",
    "avatar.create",
    "avatar.remove",
    "consumer_avatar.create",
    "conversation.begin",
    "conversation.end",
    "conversation.remove",
    "document.change",
    "document.create",
    "document.remove",
    "end_user_limit.remove",
    "end_user_limit.set",
    "knowledge_group.change",
    "knowledge_group.create",
    "knowledge_group.remove",
    "language_model.change",
    "language_model.create",
    "language_model.remove",
    "live_session.end",
    "member.accept_invitation",
    "member.change_role",
    "member.invite",
    "member.remove",
    "member.withdraw_invitation",
    "persona.change",
    "persona.create",
    "persona.remove",
    "refresh_token.suspect_theft",
    "room_token.mint",
    "server_secret.rotate",
    "session.begin",
    "session.end",
    "session.remove",
    "session.resume",
    "session_token.revoke",
    "session_token.suspect_theft",
    "share_link.change",
    "share_link.create",
    "share_link.remove",
    "share_link.use",
    "store.back_up",
    "token_key.export",
    "tool.change",
    "tool.create",
    "tool.remove",
});
static_assert(all.size() == static_cast<std::size_t>(AuditAction::tool_remove) + 1);

}  // namespace

std::string_view name_of(AuditAction action) {
  return all[static_cast<std::size_t>(action)];
}

bool is_alarm(std::string_view action) {
  return action == name_of(AuditAction::session_token_suspect_theft) ||
         action == name_of(AuditAction::refresh_token_suspect_theft);
}

std::span<const std::string_view> audit_actions() {
  return all;
}

}  // namespace stagedoor::rules
