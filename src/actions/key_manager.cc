#include "actions/key_manager.h"

#include <utility>

#include "actions/actor.h"

namespace stagedoor::actions {
namespace {

using base::Done;
using base::ErrorCode;

std::unexpected<base::Error> no_such_app() {
  return base::fail(ErrorCode::not_found, "an app that is not the caller's",
                    "There is no app with this id.");
}

}  // namespace

std::string workspace_of(const rules::Catalog& catalog, std::string_view app_id) {
  const auto* app = catalog.app(app_id);
  return app == nullptr ? std::string() : app->workspace_id;
}

KeyManager KeyManager::of(const rules::Caller& caller, Call call) {
  KeyManager manager;
  manager.caller_ = caller;
  manager.call_ = std::move(call);
  return manager;
}

KeyManager KeyManager::of_operator() {
  return {};
}

rules::ApiKeyMaker KeyManager::maker() const {
  if (!caller_) return rules::MadeByOperator{};
  if (is_key()) return rules::MadeByKey{caller_->api_key_id()};
  return rules::MadeByPerson{caller_->account_id(), caller_->workspace_id(), caller_->role()};
}

rules::Permissions KeyManager::default_scopes() const {
  const auto all = rules::Permissions::usual_of_api_keys();
  return caller_ ? all.both(caller_->permissions()) : all;
}

const rules::ApiKeyTerms* KeyManager::own_terms() const {
  return is_key() ? &caller_->terms() : nullptr;
}

std::optional<base::Instant> KeyManager::own_expiry() const {
  return is_key() ? caller_->key_expires_at() : std::nullopt;
}

bool KeyManager::may_see(const rules::ApiKey& key, const rules::Catalog& catalog) const {
  if (!caller_) return true;
  if (is_key()) return key.app_id == caller_->app().id && key.environment == caller_->environment();
  const auto& theirs = caller_->workspace_id();
  return !theirs.empty() && workspace_of(catalog, key.app_id) == theirs;
}

base::Result<rules::ApiKey> KeyManager::find(std::uint64_t id, const rules::ApiKeyRecords& records,
                                             const rules::Catalog& catalog) const {
  auto key = records.read(id);
  if (!key || may_see(*key, catalog)) return key;
  return base::fail(ErrorCode::not_found, "a key that is not the caller's",
                    "There is no key with this id.");
}

base::Result<ChosenApp> KeyManager::choose(const rules::Catalog& catalog, std::string_view app_id,
                                           std::optional<rules::Environment> environment) const {
  if (caller_) {
    auto chosen = choose_app(catalog, *caller_, app_id, environment);
    if (!chosen && chosen.error().code == ErrorCode::app_mismatch) return no_such_app();
    return chosen;
  }
  const auto* app = catalog.app(app_id);
  if (app == nullptr) return no_such_app();
  if (!environment)
    return base::fail(ErrorCode::malformed, "no environment named",
                      "environment is missing: live or test.");
  return ChosenApp{app, *environment};
}

base::Result<Done> KeyManager::check_may_make(const rules::ApiKeyTerms& terms,
                                              std::optional<base::Instant> expires_at,
                                              const rules::RateTiers& tiers) const {
  const bool is_free = terms.tier == "free" && !terms.own_limit;
  if (caller_ && !is_key() && !is_free && caller_->role() < rules::Role::admin) {
    return base::fail(ErrorCode::forbidden, "a tier set by a role that may not",
                      "Only an admin or owner gives a key a tier or a limit of its own.");
  }
  return check_may_renew(terms, expires_at, tiers);
}

base::Result<Done> KeyManager::check_may_renew(const rules::ApiKeyTerms& terms,
                                               std::optional<base::Instant> expires_at,
                                               const rules::RateTiers& tiers) const {
  if (!caller_) return Done{};
  if (!is_key()) return rules::check_scopes_covered(terms.scopes, caller_->permissions());
  return rules::check_not_stronger(
      rules::strength_of(terms, expires_at, tiers),
      rules::strength_of(caller_->terms(), caller_->key_expires_at(), tiers));
}

rules::AuditEntry KeyManager::entry(base::Instant now, rules::AuditAction action,
                                    std::string_view subject, std::string_view workspace_id) const {
  const auto by = caller_ ? Actor(*caller_, call_.peer, call_.request_id) : Actor::of_operator();
  return by.entry(now, workspace_id, action, subject);
}

}  // namespace stagedoor::actions
