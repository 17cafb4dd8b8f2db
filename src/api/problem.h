// Refusals of our own API as problem documents (RFC 9457).
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <string_view>

#include "base/result.h"
#include "http/response.h"

namespace stagedoor::api {

// `detail` may be shown to the caller. The type is a section of docs/reference/errors.md.
void reply_problem(http::Response& response, int status, std::string_view detail);
void reply_problem(http::Response& response, const base::Error& error);

}  // namespace stagedoor::api
