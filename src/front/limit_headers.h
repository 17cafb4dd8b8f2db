// What a caller is told of its limit, on every answer.
//
// Rule rate-limit-told: X-RateLimit-Limit, -Remaining and -Reset (Unix seconds; the third
// dialect's), RateLimit-Policy and RateLimit (draft-ietf-httpapi-ratelimit-headers-09), and on a
// refusal Retry-After (RFC 9110 10.2.3): every 429 by a limit has it, whichever it was.
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

#include <chrono>

#include "base/result.h"
#include "http/response.h"
#include "rules/rate_limit.h"

namespace stagedoor::front {

void tell_limit(http::Response& response, const rules::RateVerdict& verdict);

// Nobody knows when a session ends: an app that has all of its live sessions is told to come again
// after so long.
inline constexpr std::chrono::seconds concurrency_retry_after{5};

// Each door calls this for each refusal that it writes. Where that is a 429 (`rate_limited`,
// `concurrency_limited`) and `tell_limit` has not said it, this adds when to come again, for which
// a caller's program waits: the error's own time, or a second, or `concurrency_retry_after`.
void tell_late_limit(http::Response& response, const base::Error& error);

}  // namespace stagedoor::front
