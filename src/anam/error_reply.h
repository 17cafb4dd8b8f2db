// What each error becomes in the Anam dialect, and nowhere else (contract: api/anam.md).
//
// Always JSON with both `error`, a short cause that clients compare, and `message`, words for
// people; for a body that breaks its form also `details` and `summary`.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <span>
#include <string_view>

#include "base/json_shape.h"
#include "base/result.h"
#include "http/request.h"
#include "http/response.h"

namespace stagedoor::anam {

void reply(http::Response& response, const base::Error& error,
           std::span<const base::FieldFault> faults = {});
// What the plumbing refuses.
void reply(http::Response& response, int status, std::string_view what);

// The vendor's client runs in pages of any origin, and must be able to read what it is told. No
// cookie is read anywhere, so another page's visitor lends it nothing.
void allow_any_origin(http::Response& response);
// Answers OPTIONS for calls that pages make.
void preflight(const http::Request& request, http::Response& response);

}  // namespace stagedoor::anam
