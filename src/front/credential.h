// The credential out of a request's head, or a sentence on what is wrong with it (the third seed's
// troubleshooting list). It tells what the text alone shows, never what exists here.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <string_view>

#include "base/result.h"
#include "http/request.h"

namespace stagedoor::front {

// `Authorization: Bearer <credential>` (RFC 6750 2.1). `credential_missing` with a hint where it is
// not there or not in that form; `malformed` where the header came twice.
base::Result<std::string_view> bearer_of(const http::Request& request);

// A header that holds an API key and nothing else, such as X-Api-Key.
base::Result<std::string_view> api_key_header_of(const http::Request& request,
                                                 std::string_view name);

}  // namespace stagedoor::front
