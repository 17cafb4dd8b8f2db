// The sessions of the ledger over HTTP, those that live and those that are over.
//
//   GET /v1/sessions         ?state=live|ended ?app_id= ?environment= ?api_key_id= ?end_user_id=
//                            ?avatar_id= ?limit= ?cursor=
//   GET /v1/sessions/{id}
//
// A key sees its own app and environment, a person their workspace.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include "front/guard.h"
#include "http/router.h"
#include "rules/session_record.h"

namespace stagedoor::api {

// Safe for concurrent use; outlives the router.
class Sessions {
 public:
  explicit Sessions(const rules::SessionRecords& records) : records_(records) {}
  void add_to(http::Router& router, const front::Guard& guard) const;

 private:
  void list(const rules::Caller& caller, const http::Request& request,
            http::Response& response) const;
  void get(const rules::Caller& caller, const http::Request& request,
           http::Response& response) const;

  const rules::SessionRecords& records_;
};

}  // namespace stagedoor::api
