// Removes what is kept of a session that is over (rule session-removed-for-good).
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "rules/caller.h"
#include "rules/session_record.h"
#include "rules/session_report.h"

namespace stagedoor::actions {

// Safe for concurrent use; not from an event loop.
class RemoveSession {
 public:
  struct Parts {
    const rules::SessionRecords& records;
    rules::SessionReports& reports;
    const base::Clock& clock;
  };
  explicit RemoveSession(Parts parts) : parts_(parts) {}

  struct Request {
    std::string session_id;
    std::string_view peer, request_id;
  };
  // `not_found` also for what the caller may not see, `conflict` while it lives.
  base::Result<base::Done> operator()(const rules::Caller& caller, const Request& request) const;

 private:
  Parts parts_;
};

}  // namespace stagedoor::actions
