// The credential out of a request's head, or a sentence on what is wrong with it (the third seed's
// troubleshooting list). It tells what the text alone shows, never what exists here.
//
// Rule challenge-on-401: each 401 over HTTP has WWW-Authenticate (RFC 9110 11.6.1), which says how
// a credential is shown there: as Bearer, with error="invalid_token" where one was shown (RFC 6750
// 3), or, where only a key in a header of its own is read, by the name of that header.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <string_view>

#include "base/result.h"
#include "http/request.h"
#include "http/response.h"

namespace stagedoor::front {

// `Authorization: Bearer <credential>` (RFC 6750 2.1). `credential_missing` with a hint where it is
// not there or not in that form; `malformed` where the header came twice.
base::Result<std::string_view> bearer_of(const http::Request& request);

// A header that holds an API key and nothing else, such as X-Api-Key.
base::Result<std::string_view> api_key_header_of(const http::Request& request,
                                                 std::string_view name);

// Each door calls this for each refusal that it writes, after it: a 401 gets its challenge, unless
// it has one. `header`: what the door reads in place of Authorization; empty: it reads that.
void tell_challenge(http::Response& response, const base::Error& error,
                    std::string_view header = {});

}  // namespace stagedoor::front
