// What becomes of live faces: /v1/sessions/{id}/transcript, /recording, /stop, DELETE
// /v1/sessions/{id}, and /v1/sessions/concurrency (contract 1.2).
//
// GET /v1/sessions and GET /v1/sessions/{id} are served by our own API for both (api/sessions.h).
// Whoever may see a session is decided as there; a person says which app's concurrency is meant
// (`?appId=`).
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include "actions/end_live_session.h"
#include "actions/remove_session.h"
#include "front/guard.h"
#include "http/router.h"
#include "rules/app.h"
#include "rules/live_session.h"
#include "rules/session_record.h"
#include "rules/session_report.h"

namespace stagedoor::anam {

// Safe for concurrent use; outlives the router.
class Sessions {
 public:
  struct Parts {
    const rules::SessionRecords& records;
    rules::SessionReports& reports;
    const rules::LiveSessions& live;
    const rules::Catalog& catalog;
    const actions::EndLiveSession& end;
    const actions::RemoveSession& remove;
  };
  explicit Sessions(Parts parts) : parts_(parts) {}
  void add_to(http::Router& router, const front::Guard& guard) const;

 private:
  using Caller = rules::Caller;
  void transcript(const Caller& caller, const http::Request& request,
                  http::Response& response) const;
  void recording(const Caller& caller, const http::Request& request,
                 http::Response& response) const;
  void stop(const Caller& caller, const http::Request& request, http::Response& response) const;
  void remove(const Caller& caller, const http::Request& request, http::Response& response) const;
  void concurrency(const Caller& caller, const http::Request& request,
                   http::Response& response) const;

  Parts parts_;
};

}  // namespace stagedoor::anam
