// toml++ as it is used here, and texts in TOML.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

// toml++ 3.3 asserts on some texts that are not TOML, and goes on where asserts are off; here it
// gives up.
#define TOML_ASSERT(condition) \
  (static_cast<bool>(condition) ? void() : throw std::runtime_error("not TOML"))
// Some of its functions are noexcept, where giving up ends the process: with what a sanitizer adds,
// g++ sees that. None of them is on the way of a text that is read.
#pragma GCC diagnostic push
#ifndef __clang__
#pragma GCC diagnostic ignored "-Wterminate"
#endif
#include <toml++/toml.h>
#pragma GCC diagnostic pop

namespace stagedoor::server {

// As a TOML basic string, which has the escapes of JSON; in ASCII, as it must be to be read back.
std::string toml_string(std::string_view text);

}  // namespace stagedoor::server
