// Imports API keys whose hashes come from elsewhere (rule api-key-imported-hashes): whoever moves
// here need not give their customers new keys.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <optional>
#include <string>
#include <vector>

#include "actions/create_api_key.h"

namespace stagedoor::actions {

inline constexpr std::size_t imported_at_once_max = 1000;

class ImportApiKeys {
 public:
  explicit ImportApiKeys(KeyMaking parts) : parts_(parts) {}

  struct Item {
    std::string sha256;  // of the key's text: 64 hex digits, or base64
    std::string ends;    // what its owner knows it by, such as "acme_3Zf…"; 0 to 32 bytes
    KeyWish wish;
  };
  struct Request {
    std::string app_id;
    std::optional<rules::Environment> environment;
    std::vector<Item> items;
  };
  // All or none. `malformed` with a hint that names the key by its number, `conflict` where one is
  // here already, and as CreateApiKey.
  base::Result<std::vector<rules::ApiKey>> operator()(const KeyManager& manager,
                                                      const Request& request) const;

 private:
  base::Result<rules::NewApiKey> made_of(const KeyManager& manager, const ChosenApp& place,
                                         const Item& item, base::Instant now) const;
  KeyMaking parts_;
};

}  // namespace stagedoor::actions
