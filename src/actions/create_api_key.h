// Creates an API key for an app; the only time that its text exists (rule api-key-shown-once).
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <string>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "rules/api_key.h"

namespace stagedoor::actions {

class CreateApiKey {
 public:
  struct Parts {
    const rules::Catalog& catalog;
    rules::ApiKeyStore& keys;
    const rules::ApiKeyHasher& hasher;
    const base::Clock& clock;
    base::Random& random;
  };
  explicit CreateApiKey(Parts parts) : parts_(parts) {}

  struct Request {
    std::string app_id;
    rules::Environment environment;
    std::string name;  // 1 to 100 bytes
  };
  struct Created {
    rules::ApiKey key;
    rules::ApiKeyText text;
  };

  // `app_unknown`, `malformed` for the name, `unavailable`; then nothing was saved.
  base::Result<Created> operator()(const Request& request) const;

 private:
  Parts parts_;
};

}  // namespace stagedoor::actions
