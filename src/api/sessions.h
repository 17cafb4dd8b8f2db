// The sessions of the ledger over HTTP, those that live and those that are over.
//
//   GET /v1/sessions         ?state=live|ended ?app_id= ?environment= ?api_key_id= ?end_user_id=
//                            ?avatar_id= ?limit= ?cursor=
//   GET /v1/sessions/{id}
//
// A key sees its own app and environment, a person their workspace.
//
// The paths are the Anam dialect's too, and nothing that its clients send tells them from others.
// So there is one answer for both, its words beside ours; the list also takes ?page= ?perPage=
// ?search= ?apiKeyId= ?personaId=, and a refusal has what its clients read as well.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include "front/guard.h"
#include "http/router.h"
#include "rules/session_record.h"
#include "rules/session_report.h"

namespace stagedoor::api {

// Safe for concurrent use; outlives the router.
class Sessions {
 public:
  struct Parts {
    const rules::SessionRecords& records;
    rules::SessionReports& reports;
  };
  explicit Sessions(Parts parts) : parts_(parts) {}
  // `guard` refuses with reply_shared_problem (api/problem.h).
  void add_to(http::Router& router, const front::Guard& guard) const;

 private:
  void list(const rules::Caller& caller, const http::Request& request,
            http::Response& response) const;
  void get(const rules::Caller& caller, const http::Request& request,
           http::Response& response) const;

  Parts parts_;
};

}  // namespace stagedoor::api
