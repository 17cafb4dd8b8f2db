#include "actions/remove_session.h"

namespace stagedoor::actions {

base::Result<base::Done> RemoveSession::operator()(const rules::Caller& caller,
                                                   const Request& request) const {
  const auto session = parts_.records.find(rules::visible_sessions(caller), request.session_id);
  if (!session) return base::fail(session.error());
  rules::AuditEntry entry;
  entry.at = parts_.clock.now();
  entry.workspace_id = session->workspace_id;
  entry.actor = caller.actor();
  entry.action = name_of(rules::AuditAction::session_remove);
  entry.subject = session->id;
  entry.peer = request.peer;
  entry.request_id = request.request_id;
  return parts_.reports.remove(session->workspace_id, session->id, entry);
}

}  // namespace stagedoor::actions
