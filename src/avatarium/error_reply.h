// What each error becomes in the Avatarium dialect, and nowhere else (contract: api/avatarium.md).
//
// {"error":{"code","message"},"meta":{"requestId"}}. The vendor's messages stay exact, since that
// is how they are printed; what to mend stands beside them as `hint`, which is ours.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/json_shape.h"
#include "base/json_writer.h"
#include "base/result.h"
#include "http/request.h"
#include "http/response.h"

namespace stagedoor::avatarium {

// `faults`: the members of the body that are why; ours, as `error.details`.
void reply(const http::Request& request, http::Response& response, const base::Error& error,
           std::span<const base::FieldFault> faults = {});
// What the plumbing refuses; the request's id is in X-Request-Id alone.
void reply(http::Response& response, int status, std::string_view what);

// Ends an answer that has `data` already: "meta" with the request's id.
void append_meta(base::JsonWriter& body, const http::Request& request);

}  // namespace stagedoor::avatarium
