// Builds everything once, opens the doors, and closes them again.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <string>

#include "server/config.h"
#include "server/workspace.h"

namespace stagedoor::server {

struct ServeOptions {
  DataFolder folder;
  Config config;
  bool json = false;  // the first line on stdout is {"listening":"HOST:PORT"}
};

// Serves until SIGTERM or SIGINT, then lets utterances end. Gives the exit code.
int serve(const ServeOptions& options);

// Builds all that would serve, prints each route, one a line or as one JSON list, and ends. Gives
// the exit code.
int print_routes(const ServeOptions& options);

}  // namespace stagedoor::server
