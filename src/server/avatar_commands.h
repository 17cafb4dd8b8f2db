// The commands on a data folder's avatars, without a server.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <string>

#include "server/config.h"

namespace stagedoor::server {

struct AvatarWish {
  std::string workspace_id;  // empty: the only one
  std::string name;
  std::string character = "ada";
};

// Each gives the exit code and complains on stderr.
int list_avatars(const std::string& data, const Config& config, const AvatarWish& wish, bool json);
int create_avatar(const std::string& data, const Config& config, const AvatarWish& wish, bool json);

}  // namespace stagedoor::server
