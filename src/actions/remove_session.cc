#include "actions/remove_session.h"

#include "actions/actor.h"

namespace stagedoor::actions {

base::Result<base::Done> RemoveSession::operator()(const rules::Caller& caller,
                                                   const Request& request) const {
  const auto session = parts_.records.find(rules::visible_sessions(caller), request.session_id);
  if (!session) return base::fail(session.error());
  const auto entry = Actor(caller, request.peer, request.request_id)
                         .entry(parts_.clock.now(), session->workspace_id,
                                rules::AuditAction::session_remove, session->id);
  return parts_.reports.remove(session->workspace_id, session->id, entry);
}

}  // namespace stagedoor::actions
