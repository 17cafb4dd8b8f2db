// Creates an API key for an app; the only time that its text exists (rule api-key-shown-once).
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <optional>
#include <string>

#include "actions/key_manager.h"
#include "actions/key_wish.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "rules/api_key.h"
#include "rules/api_key_records.h"

namespace stagedoor::actions {

// What all that make keys stand on.
struct KeyMaking {
  const rules::Catalog& catalog;
  rules::ApiKeyRecords& records;
  const rules::ApiKeyHasher& hasher;
  const rules::RateTiers& tiers;
  const base::Clock& clock;
  base::Random& random;
};

struct CreatedApiKey {
  rules::ApiKey key;
  rules::ApiKeyText text;
};

class CreateApiKey {
 public:
  explicit CreateApiKey(KeyMaking parts) : parts_(parts) {}

  struct Request {
    std::string app_id;
    std::optional<rules::Environment> environment;
    KeyWish wish;
  };

  // `malformed`, `not_found` for an app that is not the manager's, `forbidden`
  // (rule api-key-never-stronger), `unavailable`; then nothing was saved.
  base::Result<CreatedApiKey> operator()(const KeyManager& manager, const Request& request) const;

 private:
  KeyMaking parts_;
};

}  // namespace stagedoor::actions
