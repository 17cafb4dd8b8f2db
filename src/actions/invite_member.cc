#include "actions/invite_member.h"

#include <utility>

namespace stagedoor::actions {
namespace {

rules::AuditEntry entry_for(base::Instant now, const std::string& workspace_id,
                            const MemberActor& by, const CallOrigin& origin,
                            rules::AuditAction action, std::string subject) {
  rules::AuditEntry entry;
  entry.at = now;
  entry.workspace_id = workspace_id;
  entry.actor = by.name();
  entry.action = name_of(action);
  entry.subject = std::move(subject);
  entry.outcome = rules::AuditOutcome::done;
  entry.peer = origin.peer;
  entry.request_id = origin.request_id;
  return entry;
}

}  // namespace

base::Result<InviteMember::Invited> InviteMember::operator()(const std::string& workspace_id,
                                                             const MemberActor& by,
                                                             std::string_view email,
                                                             rules::Role role,
                                                             const CallOrigin& origin) const {
  auto read = rules::read_email(email);
  if (!read) return base::fail(read.error());
  Invited invited;
  auto& invitation = invited.invitation;
  invitation.id = "ivt_" + base::random_base62(parts_.random, 20);
  invitation.workspace_id = workspace_id;
  invitation.email_key = std::move(read->key);
  invitation.role = role;
  invitation.created_by = by.name();
  invitation.created_at = parts_.clock.now();
  invitation.expires_at = invitation.created_at + rules::invitation_lifetime;
  invited.code = rules::new_invitation_code(parts_.random);
  auto entry = entry_for(invitation.created_at, workspace_id, by, origin,
                         rules::AuditAction::member_invite, invitation.id);
  entry.detail = invitation.email_key + " as " + std::string(rules::name_of(role));
  const auto kept = parts_.members.invite(
      invitation, rules::hash_of_invitation_code(invited.code.expose()), by, std::move(entry));
  if (!kept) return base::fail(kept.error());
  return invited;
}

base::Result<base::Done> InviteMember::withdraw(const std::string& workspace_id,
                                                const MemberActor& by,
                                                const std::string& invitation_id,
                                                const CallOrigin& origin) const {
  return parts_.members.withdraw_invitation(
      workspace_id, invitation_id,
      entry_for(parts_.clock.now(), workspace_id, by, origin,
                rules::AuditAction::member_withdraw_invitation, invitation_id));
}

}  // namespace stagedoor::actions
