// The commands on the limits of single end users of a data folder's apps, without a server.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <string>

#include "server/config.h"

namespace stagedoor::server {

struct EndUserWish {
  std::string app_id, end_user_id;
  std::string rate_limit;  // "none": none of their own
};

// Each gives the exit code and complains on stderr.
int limit_end_user(const std::string& data, const Config& config, const EndUserWish& wish);
int list_end_users(const std::string& data, const Config& config, const std::string& app_id,
                   bool json);

}  // namespace stagedoor::server
