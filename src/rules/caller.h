// Who is calling, after the check: the proof that a credential was good, and what it may do.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "rules/api_key.h"
#include "rules/app.h"
#include "rules/identity.h"
#include "rules/permission.h"

namespace stagedoor::actions {
class AuthenticateApiKey;
class AdmitCall;
}  // namespace stagedoor::actions

namespace stagedoor::rules {

enum class CallerKind : unsigned char { api_key, person };

// Only AuthenticateApiKey and AdmitCall make one.
class Caller {
 public:
  CallerKind kind() const { return kind_; }
  bool may(Permission permission) const { return permissions_.has(permission); }
  Permissions permissions() const { return permissions_; }
  // Empty: a person who belongs to none.
  const std::string& workspace_id() const { return app_ ? app_->workspace_id : workspace_id_; }
  // Who it is, for the audit log: "key_..." or "acc_...".
  std::string actor() const {
    return kind_ == CallerKind::api_key ? api_key_id_text(api_key_id_) : account_id_;
  }

  // Of an API key only: its id, its world, its app. Asking a person for them is our own mistake;
  // actions/choose_app.h finds the app that a person means.
  std::uint64_t api_key_id() const { return api_key_id_; }
  Environment environment() const { return environment_; }
  const App& app() const { return *app_; }
  const ApiKeyTerms& terms() const { return *terms_; }
  std::optional<base::Instant> key_expires_at() const { return key_expires_at_; }

  // Of a person only.
  const std::string& account_id() const { return account_id_; }
  const Identity& identity() const { return identity_; }
  Role role() const { return role_; }

 private:
  friend class actions::AuthenticateApiKey;
  friend class actions::AdmitCall;
  explicit Caller(const KnownApiKey& key)
      : kind_(CallerKind::api_key),
        permissions_(key.terms->scopes),
        api_key_id_(key.id),
        environment_(key.environment),
        app_(key.app),
        terms_(key.terms),
        key_expires_at_(key.expires_at) {}
  Caller(Identity identity, Member member)
      : kind_(CallerKind::person),
        permissions_(member.permissions),
        workspace_id_(std::move(member.workspace_id)),
        account_id_(std::move(member.account_id)),
        identity_(std::move(identity)),
        role_(member.role) {}

  CallerKind kind_;
  Permissions permissions_;
  std::string workspace_id_;
  std::uint64_t api_key_id_ = 0;
  Environment environment_ = Environment::test;
  const App* app_ = nullptr;
  const ApiKeyTerms* terms_ = nullptr;
  std::optional<base::Instant> key_expires_at_;
  std::string account_id_;
  Identity identity_;
  Role role_ = Role::viewer;
};

}  // namespace stagedoor::rules
