// The commands that work on a data folder's apps, tokens and backup, without a server.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <optional>
#include <string>

#include "server/config.h"

namespace stagedoor::server {

struct TokenWish {
  std::string key_file;
  std::int64_t expires_in_seconds = 600;
  std::string avatar_id, end_user_id;
  std::optional<int> uses;
  std::optional<std::int64_t> connect_within_seconds, length_seconds, idle_seconds;
};
struct LimitsWish {
  std::optional<int> token_uses, sessions;
  std::optional<std::int64_t> length_seconds, idle_seconds;
};

// Each gives the exit code and complains on stderr.
int list_apps(const std::string& data, const Config& config, bool json);
int set_limits(const std::string& data, const Config& config, const std::string& app_id,
               const LimitsWish& wish);
int mint_token(const std::string& data, const Config& config, const TokenWish& wish, bool json);
int backup(const std::string& data, const Config& config, const std::string& file);

}  // namespace stagedoor::server
