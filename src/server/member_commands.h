// The commands on a data folder's people, without a server; how the first owner comes in.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <string>

#include "server/config.h"

namespace stagedoor::server {

class Workspace;

// The workspace that is meant; where none is named, the only one. `malformed` with a hint.
base::Result<std::string> meant_workspace(Workspace& workspace, const std::string& named);

struct MemberWish {
  std::string workspace_id;  // empty: the only one
  std::string email;
  std::string role = "owner";
  std::string account_id;
};

// Each gives the exit code and complains on stderr.
int invite_member(const std::string& data, const Config& config, const MemberWish& wish, bool json);
int list_members(const std::string& data, const Config& config, const MemberWish& wish, bool json);
int remove_member(const std::string& data, const Config& config, const MemberWish& wish);

}  // namespace stagedoor::server
