// How a command says that something went wrong.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <fmt/format.h>

#include <cstdio>

#include "base/result.h"

namespace stagedoor::server {

// On standard error, in words for people; gives the exit code.
inline int complain(const base::Error& error) {
  fmt::print(stderr, "stagedoor: {}\n", error.hint.empty() ? error.detail : error.hint);
  return 1;
}

}  // namespace stagedoor::server
