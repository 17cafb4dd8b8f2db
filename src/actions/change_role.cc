#include "actions/change_role.h"

#include <utility>

namespace stagedoor::actions {

base::Result<base::Done> ChangeRole::operator()(const std::string& workspace_id,
                                                const MemberActor& by,
                                                const std::string& account_id,
                                                std::optional<rules::Role> to,
                                                const CallOrigin& origin) const {
  rules::AuditEntry entry;
  entry.at = parts_.clock.now();
  entry.workspace_id = workspace_id;
  entry.actor = by.name();
  entry.action =
      name_of(to ? rules::AuditAction::member_change_role : rules::AuditAction::member_remove);
  entry.subject = account_id;
  entry.outcome = rules::AuditOutcome::done;
  entry.peer = origin.peer;
  entry.request_id = origin.request_id;
  if (to) entry.detail = "to " + std::string(rules::name_of(*to));
  return parts_.members.change_member(workspace_id, account_id, to, by, std::move(entry));
}

}  // namespace stagedoor::actions
