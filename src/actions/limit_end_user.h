// Counts what one end user of an app does (rule rate-limit-of-end-user in rules/rate_limit.h),
// against the limit that holds for them (rules/end_user_limits.h).
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "rules/app.h"
#include "rules/audit.h"
#include "rules/end_user_limits.h"
#include "rules/rate_limit.h"

namespace stagedoor::actions {

// Safe for concurrent use; from memory, without waiting.
class LimitEndUser {
 public:
  struct Parts {
    const rules::EndUserLimits& own;
    rules::RateLimiter& limiter;
    rules::AuditLog& audit;
    const base::Clock& clock;
  };
  struct Options {
    rules::RateLimit limit = rules::RateLimit::unlimited();  // of apps without their own
  };
  LimitEndUser(Parts parts, Options options) : parts_(parts), options_(options) {}

  enum class Step : unsigned char { minting, opening };
  struct Request {
    const rules::App& app;
    rules::Environment environment;
    std::string_view end_user_id;  // empty: nobody to count
    Step step;
    std::string_view actor;  // who mints, or whose token it is
    std::string_view peer, request_id;
  };
  // `rate_limited`, with when to try again; whoever refuses the call notes it (rule
  // audit-of-refusals). What a limit that only watches would have refused is noted here. Counts
  // nothing where there is no limit.
  base::Result<base::Done> operator()(const Request& request) const {
    if (request.end_user_id.empty()) return base::Done{};
    const auto own = parts_.own.limit_of(request.app.id, request.end_user_id);
    const auto limit = rules::applied_limit(own, request.app.limits, options_.limit).limit;
    if (limit.is_unlimited()) return base::Done{};
    return take(request, limit);
  }

 private:
  base::Result<base::Done> take(const Request& request, const rules::RateLimit& limit) const;

  Parts parts_;
  Options options_;
};

}  // namespace stagedoor::actions
