// Values of the query part, for every door.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "http/request.h"
#include "rules/app.h"

namespace stagedoor::front {

// Where the value is not what it should be: `malformed`, with a hint that names the parameter.
// A parameter that is not there is nullopt.

base::Result<std::optional<std::int64_t>> number_in_query(const http::Request& request,
                                                          std::string_view name, std::int64_t least,
                                                          std::int64_t most);
// `limit`, from 1 to `most`.
base::Result<std::int64_t> limit_in_query(const http::Request& request, std::int64_t otherwise,
                                          std::int64_t most);
// `environment`: live or test.
base::Result<std::optional<rules::Environment>> environment_in_query(const http::Request& request);
// Unix seconds, from 1970 to 9999.
base::Result<std::optional<base::Instant>> time_in_query(const http::Request& request,
                                                         std::string_view name);

}  // namespace stagedoor::front
