#include "rules/token_revocation.h"

#include <utility>

namespace stagedoor::rules {

std::string_view name_of(RevokedSubject subject) {
  switch (subject) {
    case RevokedSubject::token:
      return "token";
    case RevokedSubject::end_user:
      return "end_user";
    case RevokedSubject::api_key:
      return "api_key";
    case RevokedSubject::app:
      return "app";
    case RevokedSubject::avatar:
      return "avatar";
  }
  std::unreachable();
}

std::string_view RevocableToken::value_of(RevokedSubject subject) const {
  switch (subject) {
    case RevokedSubject::token:
      return token_id;
    case RevokedSubject::end_user:
      return end_user_id;
    case RevokedSubject::api_key:
      return api_key_id;
    case RevokedSubject::app:
      return app_id;
    case RevokedSubject::avatar:
      return avatar_id;
  }
  std::unreachable();
}

RevocableToken revocable(const SessionToken& token, std::string_view token_id,
                         std::string_view avatar_id) {
  return {.workspace_id = token.account_id,
          .app_id = token.app_id,
          .environment = token.environment,
          .token_id = token_id,
          .end_user_id = token.end_user_id(),
          .api_key_id = token.api_key_id,
          .avatar_id = avatar_id,
          .minted_at = minted_at(token.id)};
}

bool TokenRevocation::covers(const RevocableToken& token) const {
  return token.workspace_id == workspace_id && token.environment == environment &&
         (app_id.empty() || token.app_id == app_id) && token.minted_at <= minted_until &&
         !value.empty() && token.value_of(subject) == value;
}

}  // namespace stagedoor::rules
