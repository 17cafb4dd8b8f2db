// How long live faces kept their users waiting: GET /v1/sessions/{id}/analytics and
// /v1/sessions/analytics (contract 1.2; the vendor publishes no shape for the answers).
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include "base/clock.h"
#include "front/guard.h"
#include "http/router.h"
#include "rules/session_record.h"
#include "rules/session_report.h"

namespace stagedoor::anam {

// Safe for concurrent use; outlives the router.
class SessionAnalytics {
 public:
  struct Parts {
    const rules::SessionRecords& records;
    rules::SessionReports& reports;
    const base::Clock& clock;
  };
  explicit SessionAnalytics(Parts parts) : parts_(parts) {}
  void add_to(http::Router& router, const front::Guard& guard) const;

 private:
  void of_one(const rules::Caller& caller, const http::Request& request,
              http::Response& response) const;
  void of_many(const rules::Caller& caller, const http::Request& request,
               http::Response& response) const;

  Parts parts_;
};

}  // namespace stagedoor::anam
