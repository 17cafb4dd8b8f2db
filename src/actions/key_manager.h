// Who manages API keys: which keys they may see, and how strong a key they may make.
//
// Rule api-key-live-and-test-apart: an API key manages those of its own app and environment; a
// person those of their workspace; the operator, who holds the data folder, all. What one may not
// see is `not_found`, in the same words as what does not exist.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "actions/choose_app.h"
#include "base/clock.h"
#include "base/result.h"
#include "rules/api_key_records.h"
#include "rules/api_key_strength.h"
#include "rules/app.h"
#include "rules/audit.h"
#include "rules/caller.h"

namespace stagedoor::actions {

// A value.
class KeyManager {
 public:
  // From where the call came, for the audit log.
  struct Call {
    std::string peer, request_id;
  };
  static KeyManager of(const rules::Caller& caller, Call call);
  static KeyManager of_operator();

  rules::ApiKeyMaker maker() const;
  std::string actor() const { return caller_ ? caller_->actor() : "operator"; }
  // What a new key has where its wish names nothing.
  rules::Permissions default_scopes() const;
  // Of an API key; null otherwise.
  const rules::ApiKeyTerms* own_terms() const;
  std::optional<base::Instant> own_expiry() const;

  bool may_see(const rules::ApiKey& key, const rules::Catalog& catalog) const;
  // The key if it may be seen, else `not_found`.
  base::Result<rules::ApiKey> find(std::uint64_t id, const rules::ApiKeyRecords& records,
                                   const rules::Catalog& catalog) const;

  // As choose_app; and what is not the caller's is `not_found` whoever asks.
  base::Result<ChosenApp> choose(const rules::Catalog& catalog, std::string_view app_id,
                                 std::optional<rules::Environment> environment) const;

  // Rule api-key-never-stronger, for what did not exist: `forbidden`.
  base::Result<base::Done> check_may_make(const rules::ApiKeyTerms& terms,
                                          std::optional<base::Instant> expires_at,
                                          const rules::RateTiers& tiers) const;
  // The same for a key that exists and is given back to use: a person's tier is no question there.
  base::Result<base::Done> check_may_renew(const rules::ApiKeyTerms& terms,
                                           std::optional<base::Instant> expires_at,
                                           const rules::RateTiers& tiers) const;

  rules::AuditEntry entry(base::Instant now, rules::AuditAction action, std::string_view subject,
                          std::string_view workspace_id) const;

 private:
  bool is_key() const { return caller_ && caller_->kind() == rules::CallerKind::api_key; }

  std::optional<rules::Caller> caller_;  // nullopt: the operator
  Call call_;
};

// The workspace that an app belongs to, for an audit entry; empty where it is gone.
std::string workspace_of(const rules::Catalog& catalog, std::string_view app_id);

}  // namespace stagedoor::actions
