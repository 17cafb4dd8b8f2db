// `stagedoor usage ...`.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <string>

namespace stagedoor::server {

// Compares the ledger of sessions with the audit log; 1 where anything does not match, and says
// what. Works on the files alone, also while a server writes them.
int reconcile_usage(const std::string& data);

}  // namespace stagedoor::server
