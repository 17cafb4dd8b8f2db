#include "actions/find_maker.h"

#include <utility>

#include "rules/account.h"
#include "rules/role.h"

namespace stagedoor::actions {

using base::ErrorCode;

base::Result<FindMaker::Maker> FindMaker::operator()(const std::string& maker,
                                                     const std::string& workspace_id) const {
  if (const auto key = rules::parse_api_key_id(maker)) return of_key(*key);
  return of_person(maker, workspace_id);
}

base::Result<FindMaker::Maker> FindMaker::of_key(std::uint64_t id) const {
  auto record = parts_.records.read(id);
  if (!record && record.error().code == ErrorCode::not_found)
    return base::fail(ErrorCode::unauthenticated, "the maker's key is gone");
  if (!record) return base::fail(record.error());
  auto terms = std::make_unique<const rules::ApiKeyTerms>(std::move(record->terms));
  rules::KnownApiKey known{.id = id,
                           .environment = record->environment,
                           .app = parts_.catalog.app(record->app_id),
                           .terms = terms.get(),
                           .expires_at = record->expires_at};
  if (record->frozen_at) known.standing = rules::ApiKeyStanding::frozen;
  if (record->revoked_at) known.standing = rules::ApiKeyStanding::revoked;
  if (known.app == nullptr)
    return base::fail(ErrorCode::unauthenticated, "the app of the maker's key is gone");
  auto caller = parts_.authenticate.of_known(known);
  if (!caller) return base::fail(caller.error());
  return Maker{.caller = *std::move(caller), .terms = std::move(terms)};
}

base::Result<FindMaker::Maker> FindMaker::of_person(const std::string& account_id,
                                                    const std::string& workspace_id) const {
  const auto role = parts_.members.role_of(account_id, workspace_id);
  if (!role)
    return base::fail(ErrorCode::unauthenticated, account_id + " is no member there any more");
  return Maker{.caller = rules::Caller({}, {.account_id = account_id,
                                            .workspace_id = workspace_id,
                                            .role = *role,
                                            .permissions = rules::permissions_of(*role)}),
               .terms = {}};
}

}  // namespace stagedoor::actions
