// From which page a request comes, as its browser says (RFC 6454 7).
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <optional>
#include <string>

#include "http/request.h"

namespace stagedoor::front {

// nullopt: no page, or one that does not say. Two of them are none that anybody may have: empty.
inline std::optional<std::string> origin_of(const http::Request& request) {
  const auto value = request.header("Origin");
  if (!value) return std::nullopt;
  return request.header_count("Origin") > 1 ? std::string() : std::string(*value);
}

}  // namespace stagedoor::front
