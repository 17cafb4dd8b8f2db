// Ends one live session by its id, for a reason that the audit log keeps.
//
// The end is on disk before anybody is asked to leave: so whoever is sent away does not come back,
// however fast they ask again.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "rules/caller.h"
#include "rules/live_session.h"
#include "rules/redemption.h"

namespace stagedoor::actions {

// Safe for concurrent use.
class EndLiveSession {
 public:
  struct Parts {
    rules::LiveSessions& sessions;
    rules::SessionLedger& ledger;
    const base::Clock& clock;
  };
  explicit EndLiveSession(Parts parts) : parts_(parts) {}

  struct Request {
    std::string_view session_id;
    std::string_view reason;  // at most 200 bytes, or empty
    std::string_view peer, request_id;
  };
  // `not_found` where no session of this id is live and the caller's; `unavailable` where it can't
  // be recorded, and then it goes on. Not from an event loop.
  base::Result<base::Done> operator()(const rules::Caller& caller, const Request& request) const;

 private:
  Parts parts_;
};

}  // namespace stagedoor::actions
