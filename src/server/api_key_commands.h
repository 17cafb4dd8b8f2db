// The commands about API keys: on a data folder, as its operator, without a server. A running
// server follows within 100 ms.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "server/config.h"

namespace stagedoor::server {

struct NewKey {
  std::string app_id;  // empty: the only app
  std::string name = "key";
  bool live = false;
  std::vector<std::string> scopes, networks;  // empty: all, any
  std::optional<std::int64_t> expires_in_seconds;
  std::optional<std::string> tier, rate_limit;
};
struct KeyRotation {
  std::string key_id;
  std::int64_t grace_seconds = 0;
  std::optional<std::int64_t> expires_in_seconds;
};
struct AppRotation {
  std::string app_id;  // empty: the only app
  bool live = false;
  std::int64_t grace_seconds = 0;
};

// Each gives the exit code and complains on stderr.
int create_key(const std::string& data, const Config& config, const NewKey& wish, bool json);
int import_keys(const std::string& data, const Config& config, const std::string& file, bool json);
int list_keys(const std::string& data, const Config& config, const std::string& app_id, bool json);
int freeze_key(const std::string& data, const Config& config, const std::string& key_id,
               const std::string& reason, bool json);
int unfreeze_key(const std::string& data, const Config& config, const std::string& key_id,
                 bool json);
int revoke_key(const std::string& data, const Config& config, const std::string& key_id,
               const std::string& reason, bool json);
int rotate_key(const std::string& data, const Config& config, const KeyRotation& wish, bool json);
int rotate_app_keys(const std::string& data, const Config& config, const AppRotation& wish,
                    bool json);
int show_blast_radius(const std::string& data, const Config& config, const std::string& key_id,
                      bool json);

}  // namespace stagedoor::server
