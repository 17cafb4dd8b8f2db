// POST /v1/secret-scanning/github: where GitHub's secret-scanning partner programme reports leaked
// keys (rules/leak_report.h).
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include "actions/freeze_leaked_keys.h"
#include "front/guard.h"
#include "http/router.h"

namespace stagedoor::api {

// Safe for concurrent use; outlives the router.
class LeakReports {
 public:
  explicit LeakReports(const actions::FreezeLeakedKeys& freeze) : freeze_(freeze) {}
  void add_to(http::Router& router, const front::Guard& guard) const;

 private:
  void operator()(const http::Request& request, http::Response& response) const;

  const actions::FreezeLeakedKeys& freeze_;
};

}  // namespace stagedoor::api
