#include "actions/end_live_session.h"

#include "actions/actor.h"

namespace stagedoor::actions {

base::Result<base::Done> EndLiveSession::operator()(const rules::Caller& caller,
                                                    const Request& request) const {
  const auto absent = [] {
    return base::fail(base::ErrorCode::not_found, "no live session to end",
                      "There is no live session with this id.");
  };
  const auto session = parts_.sessions.find(request.session_id);
  if (!session || !session->is_visible_to(caller)) return absent();
  auto entry = Actor(caller, request.peer, request.request_id)
                   .entry(parts_.clock.now(), session->workspace_id,
                          rules::AuditAction::live_session_end, session->id, request.reason);
  const auto why = name_of(rules::SessionEnd::ended);
  if (auto kept = parts_.ledger.end_for_good(session->id, why, std::move(entry)); !kept)
    return kept;
  // It may have ended by itself meanwhile; that it was ended is recorded, and so it is.
  parts_.sessions.end(request.session_id, rules::SessionEnd::ended);
  return base::Done{};
}

}  // namespace stagedoor::actions
