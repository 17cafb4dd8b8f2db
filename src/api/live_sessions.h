// GET /v1/live-sessions and /v1/live-sessions/{id}, POST /v1/live-sessions/{id}/end: who is on
// stage, and asking somebody off it.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include "actions/end_live_session.h"
#include "front/guard.h"
#include "http/router.h"
#include "rules/caller.h"
#include "rules/live_session.h"

namespace stagedoor::api {

// Safe for concurrent use.
class LiveSessions {
 public:
  struct Parts {
    const rules::LiveSessions& sessions;
    const actions::EndLiveSession& end;
  };
  explicit LiveSessions(Parts parts) : parts_(parts) {}
  // This must outlive the router.
  void add_to(http::Router& router, const front::Guard& guard) const;

 private:
  // 200 {"data": [...], "next": cursor or null}; filters app_id, end_user_id, api_key_id,
  // avatar_id, environment; `limit` 1 to 1000, 100 where it is not given; `cursor`.
  void list(const rules::Caller& caller, const http::Request& request,
            http::Response& response) const;
  void get(const rules::Caller& caller, const http::Request& request,
           http::Response& response) const;
  // {"reason"?} gives 202 {"id", "is_ending": true}: it is asked to end.
  void end(const rules::Caller& caller, const http::Request& request,
           http::Response& response) const;

  Parts parts_;
};

}  // namespace stagedoor::api
