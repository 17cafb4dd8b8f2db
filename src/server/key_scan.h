// `stagedoor key scan`: looks through files for our API keys, offline, by prefix and checksum.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <string>

#include "server/config.h"

namespace stagedoor::server {

struct KeyScan {
  std::string path;  // a file, or a folder with all that is below it
  std::string data;  // empty: it is not said which keys are known
  bool json = false;
};

// Prints where each key stands and its ends, never the key. What can't be read, links and other
// things that are not files are told on stderr, one a line. Memory does not grow with the files.
//
// 1: a key was found. 3: none was found, but something could not be read. 0: all was read, and
// there is none.
int scan_for_keys(const KeyScan& wish, const Config& config);

}  // namespace stagedoor::server
