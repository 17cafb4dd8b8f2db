// What a caller is told of its limit, on every answer.
//
// Rule rate-limit-told: X-RateLimit-Limit, -Remaining and -Reset (Unix seconds; the third
// dialect's), RateLimit-Policy and RateLimit (draft-ietf-httpapi-ratelimit-headers-09), and on a
// refusal Retry-After (RFC 9110 10.2.3).
//
// Limit is the burst: what could come at once when all is there. Reset is when all of it is there
// again. A policy's q is the burst and its w the seconds in which that much comes back; r is what
// remains and t the seconds until that grows by one. Seconds are rounded up, so that who waits so
// long is admitted.
//
// Answers to calls that no limit counted tell none: what the plumbing itself refuses (no such
// path, no such method, a body too large), public files, health and metrics, and callers whose
// limit is "unlimited".
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include "base/result.h"
#include "http/response.h"
#include "rules/rate_limit.h"

namespace stagedoor::front {

void tell_limit(http::Response& response, const rules::RateVerdict& verdict);

// For a `rate_limited` refusal that comes after the call was admitted: an end user's own limit, or
// one that a test value forced (rules/test_mode.h). The other fields tell of the caller's limit;
// this adds when to come again, for which a caller's program waits.
void tell_late_limit(http::Response& response, const base::Error& error);

}  // namespace stagedoor::front
