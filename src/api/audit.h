// The audit log over HTTP, for those whose workspace or app it tells of.
//
//   GET /v1/audit ?since= ?until= ?actor= ?action= ?subject= ?outcome= ?order= ?limit= ?cursor=
//
// JSON, a page at a time; or, asked for with Accept: application/x-ndjson, the entries of the page
// one a line and the next cursor in the Stagedoor-Next field. Beginning to read is itself recorded
// (rule audit-fail-closed in rules/audit.h); going on with a cursor is the same reading.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include "base/clock.h"
#include "front/guard.h"
#include "http/router.h"
#include "rules/audit_trail.h"

namespace stagedoor::api {

// Safe for concurrent use; outlives the router.
class Audit {
 public:
  struct Parts {
    const rules::AuditTrail& trail;
    rules::AuditLog& log;
    const base::Clock& clock;
  };
  explicit Audit(Parts parts) : parts_(parts) {}
  void add_to(http::Router& router, const front::Guard& guard) const;

 private:
  void read(const rules::Caller& caller, const http::Request& request,
            http::Response& response) const;
  base::Result<base::Done> record(const rules::Caller& caller, const http::Request& request) const;

  Parts parts_;
};

// What the query of a request asks for; `malformed` with a hint that names the parameter.
base::Result<rules::AuditQuery> audit_query_of(const http::Request& request);

}  // namespace stagedoor::api
