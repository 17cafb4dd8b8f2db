// Reads API keys: one, a page of them, and what one has touched.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "actions/key_manager.h"

namespace stagedoor::actions {

// `not_found` for what the manager may not see.
class ReadApiKeys {
 public:
  struct Parts {
    const rules::Catalog& catalog;
    const rules::ApiKeyRecords& records;
  };
  explicit ReadApiKeys(Parts parts) : parts_(parts) {}

  struct PageRequest {
    std::string app_id;
    std::optional<rules::Environment> environment;
    std::optional<rules::ApiKeyCursor> after;
    std::size_t count_max = 100;
  };
  // `malformed` where somebody other than a key names no app and environment.
  base::Result<rules::ApiKeyPage> page(const KeyManager& manager, const PageRequest& request) const;
  base::Result<rules::ApiKey> one(const KeyManager& manager, std::uint64_t id) const;
  struct Touched {
    rules::ApiKey key;
    rules::BlastRadius radius;
  };
  base::Result<Touched> blast_radius(const KeyManager& manager, std::uint64_t id) const;

 private:
  Parts parts_;
};

}  // namespace stagedoor::actions
