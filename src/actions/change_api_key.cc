#include "actions/change_api_key.h"

#include <utility>

namespace stagedoor::actions {
namespace {

// The key and its audit entry, if the manager may see it.
struct Subject {
  rules::ApiKey key;
  rules::AuditEntry entry;
};
base::Result<Subject> subject_of(const KeyChanging& parts, const KeyManager& manager,
                                 std::uint64_t id, rules::AuditAction action,
                                 const std::string& reason) {
  if (auto said = rules::check_key_reason(reason); !said) return base::fail(said.error());
  auto key = manager.find(id, parts.records, parts.catalog);
  if (!key) return base::fail(key.error());
  auto entry = manager.entry(parts.clock.now(), action, rules::api_key_id_text(id),
                             workspace_of(parts.catalog, key->app_id));
  entry.detail = reason;
  return Subject{*std::move(key), std::move(entry)};
}

}  // namespace

base::Result<rules::ApiKey> FreezeApiKey::operator()(const KeyManager& manager, std::uint64_t id,
                                                     const std::string& reason) const {
  auto subject = subject_of(parts_, manager, id, rules::AuditAction::api_key_freeze, reason);
  if (!subject) return base::fail(subject.error());
  return parts_.records.freeze(id, parts_.clock.now(), reason, std::move(subject->entry));
}

base::Result<rules::ApiKey> UnfreezeApiKey::operator()(const KeyManager& manager,
                                                       std::uint64_t id) const {
  auto subject = subject_of(parts_, manager, id, rules::AuditAction::api_key_unfreeze, "");
  if (!subject) return base::fail(subject.error());
  const auto& key = subject->key;
  if (auto may = manager.check_may_renew(key.terms, key.expires_at, parts_.tiers); !may)
    return base::fail(may.error());
  return parts_.records.unfreeze(manager.maker(), id, std::move(subject->entry));
}

base::Result<rules::ApiKey> RevokeApiKey::operator()(const KeyManager& manager, std::uint64_t id,
                                                     const std::string& reason) const {
  auto subject = subject_of(parts_, manager, id, rules::AuditAction::api_key_revoke, reason);
  if (!subject) return base::fail(subject.error());
  return parts_.records.revoke(id, parts_.clock.now(), reason, std::move(subject->entry));
}

base::Result<rules::ApiKey> RevokeApiKey::by_holder(const rules::Caller& caller,
                                                    KeyManager::Call call,
                                                    const std::string& reason) const {
  // A key sees itself, so no further permission is asked.
  const auto manager = KeyManager::of(caller, std::move(call));
  if (auto said = rules::check_key_reason(reason); !said) return base::fail(said.error());
  auto key = manager.find(caller.api_key_id(), parts_.records, parts_.catalog);
  if (!key) return key;
  if (key->revoked_at) {
    key->revoked_reason.clear();
  } else {
    key = (*this)(manager, key->id, reason);
  }
  if (key) key->frozen_reason.clear();
  return key;
}

}  // namespace stagedoor::actions
