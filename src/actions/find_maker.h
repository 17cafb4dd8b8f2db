// Finds who stands behind something that is kept and acts on their credential later: the API key or
// the person, as they are at this moment (rule share-link-rests-on-its-maker).
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <memory>
#include <string>

#include "actions/authenticate_api_key.h"
#include "base/result.h"
#include "rules/api_key_records.h"
#include "rules/app.h"
#include "rules/caller.h"
#include "rules/identity.h"

namespace stagedoor::actions {

// Safe for concurrent use; not from an event loop.
class FindMaker {
 public:
  struct Parts {
    const AuthenticateApiKey& authenticate;
    const rules::ApiKeyRecords& records;
    const rules::Catalog& catalog;
    const rules::Members& members;
  };
  explicit FindMaker(Parts parts) : parts_(parts) {}

  struct Maker {
    rules::Caller caller;
    std::unique_ptr<const rules::ApiKeyTerms> terms;  // what the caller of a key points to
  };
  // `maker` is "key_..." or "acc_...". `unauthenticated` for a key that is revoked, frozen or
  // expired, and for a person who is no member of the workspace any more; `wrong_environment`
  // where the server takes no such keys; `unavailable`.
  base::Result<Maker> operator()(const std::string& maker, const std::string& workspace_id) const;

 private:
  base::Result<Maker> of_key(std::uint64_t id) const;
  base::Result<Maker> of_person(const std::string& account_id,
                                const std::string& workspace_id) const;

  Parts parts_;
};

}  // namespace stagedoor::actions
