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
struct AppWish {
  std::string workspace_id;  // empty: the only one
  std::string name;          // empty: as it is
  std::optional<int> token_uses, sessions;
  std::optional<std::int64_t> length_seconds, idle_seconds;
  // "none": none of its own.
  std::optional<std::string> rate_limit, end_user_limit, monthly_minutes;
};

// Each gives the exit code and complains on stderr.
int list_apps(const std::string& data, const Config& config, bool json);
int create_app(const std::string& data, const Config& config, const AppWish& wish, bool json);
int change_app(const std::string& data, const Config& config, const std::string& app_id,
               const AppWish& wish);
int mint_token(const std::string& data, const Config& config, const TokenWish& wish, bool json);
int backup(const std::string& data, const Config& config, const std::string& file);

}  // namespace stagedoor::server
