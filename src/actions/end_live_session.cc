#include "actions/end_live_session.h"

namespace stagedoor::actions {

base::Result<base::Done> EndLiveSession::operator()(const rules::Caller& caller,
                                                    const Request& request) const {
  const auto absent = [] {
    return base::fail(base::ErrorCode::not_found, "no live session to end",
                      "There is no live session with this id.");
  };
  const auto session = parts_.sessions.find(request.session_id);
  if (!session || !session->is_visible_to(caller)) return absent();
  rules::AuditEntry entry;
  entry.at = parts_.clock.now();
  entry.workspace_id = session->workspace_id;
  entry.actor = caller.actor();
  entry.action = name_of(rules::AuditAction::live_session_end);
  entry.subject = session->id;
  entry.peer = request.peer;
  entry.request_id = request.request_id;
  entry.detail = request.reason;
  const auto why = name_of(rules::SessionEnd::ended);
  if (auto kept = parts_.ledger.end_for_good(session->id, why, std::move(entry)); !kept)
    return kept;
  // It may have ended by itself meanwhile; that it was ended is recorded, and so it is.
  parts_.sessions.end(request.session_id, rules::SessionEnd::ended);
  return base::Done{};
}

}  // namespace stagedoor::actions
