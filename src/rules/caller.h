// Who is calling, after the check: the proof that a credential was good, and what it may do.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <memory>
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
class FindMaker;
}  // namespace stagedoor::actions

namespace stagedoor::rules {

enum class CallerKind : unsigned char { api_key, person };

// Only AuthenticateApiKey, AdmitCall and FindMaker make one.
class Caller {
 public:
  CallerKind kind() const { return kind_; }
  bool may(Permission permission) const { return permissions_.has(permission); }
  Permissions permissions() const { return permissions_; }
  // Empty: a person who belongs to none.
  const std::string& workspace_id() const {
    return app_ ? app_->workspace_id : person().member.workspace_id;
  }
  // Who it is, for the audit log: "key_..." or "acc_...".
  std::string actor() const {
    return kind_ == CallerKind::api_key ? api_key_id_text(api_key_id_) : account_id();
  }

  // Of an API key only: its id, its world, its app. Asking a person for them is our own mistake;
  // actions/choose_app.h finds the app that a person means.
  std::uint64_t api_key_id() const { return api_key_id_; }
  Environment environment() const { return environment_; }
  const App& app() const { return *app_; }
  const ApiKeyTerms& terms() const { return *terms_; }
  std::optional<base::Instant> key_expires_at() const { return key_expires_at_; }

  // Of a person only; empty for an API key.
  const std::string& account_id() const { return person().member.account_id; }
  const Identity& identity() const { return person().identity; }
  Role role() const { return person().member.role; }

 private:
  friend class actions::AuthenticateApiKey;
  friend class actions::AdmitCall;
  friend class actions::FindMaker;
  explicit Caller(const KnownApiKey& key)
      : kind_(CallerKind::api_key),
        permissions_(key.terms->scopes),
        environment_(key.environment),
        api_key_id_(key.id),
        app_(key.app),
        terms_(key.terms),
        key_expires_at_(key.expires_at) {}
  Caller(Identity identity, Member member)
      : kind_(CallerKind::person),
        permissions_(member.permissions),
        person_(std::make_shared<const Person>(std::move(identity), std::move(member))) {}

  struct Person {
    Identity identity;
    Member member;
  };
  const Person& person() const {
    static const Person nobody;
    return person_ ? *person_ : nobody;
  }

  CallerKind kind_;
  Permissions permissions_;
  Environment environment_ = Environment::test;
  std::uint64_t api_key_id_ = 0;
  const App* app_ = nullptr;
  const ApiKeyTerms* terms_ = nullptr;
  std::optional<base::Instant> key_expires_at_;
  std::shared_ptr<const Person> person_;  // apart, so that an API key's caller is cheap to pass on
};

}  // namespace stagedoor::rules
