// Settings: one TOML file, read once, into one plain struct per part.
//
// Rule setting-unknown-refused: a key that we do not know stops the start and names the nearest
// one that we do: a misspelt limit must not silently be no limit.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "actions/admit_call.h"
#include "api/page.h"
#include "base/log.h"
#include "base/result.h"
#include "crypto/password.h"
#include "http/listener.h"
#include "rules/token_keys.h"
#include "server/issuer_settings.h"
#include "server/live_settings.h"
#include "store/memory_rate_limits.h"

namespace stagedoor::server {

struct Config {
  std::string listen = "127.0.0.1:8700";
  std::string public_url;  // empty: http:// and the listening address
  std::chrono::seconds shutdown_grace{10};
  http::Options http;

  std::string server_secret_file;  // empty: DATA/server-secret
  std::vector<std::string> trusted_token_key_files;
  std::string token_algorithm = "HS256";
  std::string issuer = "stagedoor";
  std::string region = "us-west";

  std::string accounts_issuer;  // empty: public_url, or http:// and `listen`
  std::string sign_up = "invited";
  crypto::PasswordHasher::Cost password_cost;

  std::chrono::seconds connect_within{0};
  std::string unlisted_origins = "any";

  bool accepts_live_keys = true;
  bool accepts_test_keys = true;
  std::string leak_reporter_keys_file;  // empty: nobody reports leaks

  actions::AdmitCall::Options limits;
  rules::RateLimit end_user_limit = rules::RateLimit::unlimited();
  store::MemoryRateLimits::Options limit_tables;

  std::chrono::seconds configure_within{10};
  std::size_t message_bytes_max = 8u << 20;
  std::size_t message_memory_max = 512u << 20;

  std::vector<IssuerSettings> people_issuers;
  bool people_allow_private_issuers = false;

  std::string page_open_to = "loopback";
  std::string page_api_key_file;  // empty: DATA/page-key
  std::string page_sample_file;   // empty: DATA/sample.wav

  // What room tokens are signed with (rules/room_token.h).
  struct Rooms {
    std::string livekit_url, livekit_api_key, livekit_secret_file;
    std::string agora_app_id, agora_certificate_file;
    bool livekit_grants_for_all_rooms = false;
    bool accept_test_keys = false;
    std::vector<std::string> workspaces, apps;  // both empty: the first workspace
    bool rooms_by_app = false;
  };
  Rooms rooms;

  LiveSettings live;

  std::string log_level = "info";
};

// Reads the file; an empty path gives the defaults. `malformed` with a hint that names the key, the
// line, and what would be right.
base::Result<Config> read_config(const std::string& path);
base::Result<Config> parse_config(std::string_view toml, std::string_view name);

// The settings as a commented TOML file, with the values in force.
std::string print_config(const Config& config);
// docs/reference/config.md, from the same table.
std::string config_reference();

struct Address {
  std::string host;
  std::uint16_t port;
};
// "127.0.0.1:8700" or "[::1]:8700".
base::Result<Address> parse_address(std::string_view text);

}  // namespace stagedoor::server
