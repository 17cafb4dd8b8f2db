// Refusals of our own API as problem documents (RFC 9457).
//
// Rule problem-has-a-page: the `type` of a problem document is the address of a page on this very
// server that says what it means and what to do about it; docs/reference/problems.md holds the same
// pages. A type is stable: programs may compare it.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "http/response.h"

namespace stagedoor::api {

// One kind of problem. All texts live as long as the program.
struct Problem {
  std::string_view type;  // the last part of /problems/<type>
  int status;
  std::string_view title;
  std::string_view meaning;  // for the page: what has happened
  std::string_view remedy;   // ... and what the caller can do
};

std::span<const Problem> problems();
const Problem& problem_of(base::ErrorCode code);
// For what the plumbing refuses; a status that it never gives is "internal".
const Problem& problem_of_status(int status);

// `detail` may be shown to the caller.
void reply_problem(http::Response& response, int status, std::string_view detail);
void reply_problem(http::Response& response, const base::Error& error);

// The same for a path that the Anam dialect's clients ask as well: `error` and `message`, which
// they read, stand beside our own members.
void reply_shared_problem(http::Response& response, int status, std::string_view detail);
void reply_shared_problem(http::Response& response, const base::Error& error);

// docs/reference/problems.md, from the same table.
std::string problems_reference();

}  // namespace stagedoor::api
