// Who comes in and how often: everything that stands between a socket and a door's own words.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <vector>

#include "actions/admit_call.h"
#include "api/health.h"
#include "front/guard.h"
#include "http/workers.h"
#include "server/config.h"
#include "server/issuers.h"
#include "server/workspace.h"
#include "store/memory_rate_limits.h"

namespace stagedoor::server {

// Safe for concurrent use. Built before the doors and gone after them.
class Reception {
 public:
  Reception(Workspace& workspace, const Config& config, base::Log& log);
  // The workers first: they use all the rest.
  ~Reception() { workers_.stop(); }

  const actions::AdmitCall& admit() const { return admit_; }
  rules::AuditLog& audit() { return audit_; }
  http::Workers& workers() { return workers_; }
  // What the limits have said, for /metrics.
  std::vector<api::Gauge> gauges() const;
  // Our own API: Bearer, problem documents.
  const front::Guard& api() const { return api_; }
  // The same on paths that Anam's clients ask as well.
  const front::Guard& shared_api() const { return shared_api_; }
  // The Spatius console: X-Api-Key, errors[].
  const front::Guard& console() const { return console_; }
  // Anam: Bearer, `error` and `message`.
  const front::Guard& anam() const { return anam_; }
  // Avatarium: Bearer, `error` with `code` and `message`, `meta`.
  const front::Guard& avatarium() const { return avatarium_; }

 private:
  rules::FixedKeys own_keys_;  // of our own accounts' tokens
  Issuers issuers_;
  store::MemoryRateLimits& limiter_;
  rules::AuditLog& audit_;
  actions::AdmitCall admit_;
  http::Workers workers_;
  front::Guard api_, shared_api_, console_, anam_, avatarium_;
};

}  // namespace stagedoor::server
