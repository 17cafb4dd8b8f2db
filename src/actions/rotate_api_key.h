// Makes successors of API keys (rules/api_key_rotation.h): of one, or of all that an app has.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "actions/create_api_key.h"
#include "actions/key_manager.h"

namespace stagedoor::actions {

class RotateApiKey {
 public:
  explicit RotateApiKey(KeyMaking parts) : parts_(parts) {}

  struct Request {
    std::uint64_t id;
    std::chrono::seconds grace{0};
    // Of the successor, where it shall not end when the old key would have.
    std::optional<base::Instant> expires_at;
  };
  struct Rotated {
    rules::ApiKey old;
    CreatedApiKey successor;
  };
  // `malformed` for the grace or the expiry, `not_found`, `conflict` (check_may_rotate),
  // `forbidden` (rule api-key-never-stronger), `unavailable`; then nothing was changed.
  base::Result<Rotated> operator()(const KeyManager& manager, const Request& request) const;

 private:
  KeyMaking parts_;
};

class RotateAppKeys {
 public:
  explicit RotateAppKeys(KeyMaking parts) : parts_(parts) {}

  struct Request {
    std::string app_id;
    std::optional<rules::Environment> environment;
    std::chrono::seconds grace{0};
  };
  struct Rotated {
    std::vector<std::pair<std::uint64_t, std::uint64_t>> old_and_new;
    std::vector<CreatedApiKey> successors;
    std::vector<std::uint64_t> frozen;  // retired as the rest, without a successor
    std::int64_t left = 0;  // read again in the same transaction; 0 proves that none was forgotten
  };
  // As above; `forbidden` where one of the keys is stronger than the manager, and `conflict` where
  // there are too many for one answer.
  base::Result<Rotated> operator()(const KeyManager& manager, const Request& request) const;

 private:
  KeyMaking parts_;
};

}  // namespace stagedoor::actions
