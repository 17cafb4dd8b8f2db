// Values of the query part of our own API's calls.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "http/request.h"

namespace stagedoor::api {

// Where the value is not what it should be: `malformed`, with a hint that names the parameter.
// A parameter that is not there is nullopt.

base::Result<std::optional<std::int64_t>> number_in_query(const http::Request& request,
                                                          std::string_view name, std::int64_t least,
                                                          std::int64_t most);
// Unix seconds, from 1970 to 9999.
base::Result<std::optional<base::Instant>> time_in_query(const http::Request& request,
                                                         std::string_view name);

}  // namespace stagedoor::api
