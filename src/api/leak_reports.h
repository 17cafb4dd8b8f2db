// POST /v1/secret-scanning/github: where GitHub's secret-scanning partner programme reports leaked
// keys (rules/leak_report.h).
//
// A signed report is always read: many may come at once, and from addresses that others use too.
// What is not signed counts against its network, as a guessed key does.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include "actions/admit_call.h"
#include "actions/freeze_leaked_keys.h"
#include "front/guard.h"
#include "http/router.h"

namespace stagedoor::api {

// Safe for concurrent use; outlives the router.
class LeakReports {
 public:
  LeakReports(const actions::FreezeLeakedKeys& freeze, const actions::AdmitCall& admit)
      : freeze_(freeze), admit_(admit) {}
  void add_to(http::Router& router, const front::Guard& guard) const;

 private:
  void operator()(const http::Request& request, http::Response& response) const;
  void refuse_unsigned(const http::Request& request, http::Response& response,
                       const base::Error& why) const;

  const actions::FreezeLeakedKeys& freeze_;
  const actions::AdmitCall& admit_;
};

}  // namespace stagedoor::api
