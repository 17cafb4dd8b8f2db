// What was used, over HTTP.
//
//   GET /v1/usage              per app and environment
//   GET /v1/usage/keys         per API key
//   GET /v1/usage/end-users    per end user
//       ?from= ?to= ?by=hour|day|month ?app_id= ?environment= ?limit= ?cursor=
//
// Times are Unix seconds, rounded down to the full hour; periods are of UTC. By default the last 30
// days, by day. A key sees its own app and environment.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include "base/clock.h"
#include "front/guard.h"
#include "http/router.h"
#include "rules/app.h"
#include "rules/usage.h"

namespace stagedoor::api {

// Safe for concurrent use; outlives the router.
class Usage {
 public:
  struct Parts {
    const rules::UsageReport& report;
    const rules::Catalog& catalog;
    const base::Clock& clock;
  };
  explicit Usage(Parts parts) : parts_(parts) {}
  void add_to(http::Router& router, const front::Guard& guard) const;

 private:
  void read(rules::UsageOf what, const rules::Caller& caller, const http::Request& request,
            http::Response& response) const;
  base::Result<rules::UsageQuery> query_of(const rules::Caller& caller,
                                           const http::Request& request) const;

  Parts parts_;
};

}  // namespace stagedoor::api
