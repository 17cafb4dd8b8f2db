// The zlib format (RFC 1950), for wire forms that are made of it.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <string>
#include <string_view>

namespace stagedoor::base {

// For short texts: all at once in memory.
std::string deflated(std::string_view bytes);

}  // namespace stagedoor::base
