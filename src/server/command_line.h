// The words of the command `stagedoor`.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

namespace stagedoor::server {

// Gives the exit code: 0 done, 1 refused or failed, 2 asked for wrongly.
int command_line(int argument_count, char** arguments);

}  // namespace stagedoor::server
