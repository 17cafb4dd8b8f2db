#include "actions/refresh_log_in.h"

#include <utility>

namespace stagedoor::actions {

base::Result<LoggedIn> RefreshLogIn::operator()(const base::Secret& token,
                                                const CallOrigin& origin) const {
  auto entry = entry_of(people_, origin, "", rules::AuditAction::account_refresh, "");
  NewRefreshToken next;
  next.text = rules::next_refresh_token(token.expose(), people_.refresh_key);
  next.kept.hash = rules::hash_of_refresh_token(next.text.expose());
  next.kept.created_at = entry.at;
  next.kept.expires_at = entry.at + rules::refresh_token_lifetime;
  auto account =
      people_.accounts.refresh(rules::hash_of_refresh_token(token.expose()), next.kept, entry);
  if (!account) {
    if (account.error().code == base::ErrorCode::unauthenticated)
      note_refusal(people_, std::move(entry), account.error());
    return base::fail(account.error());
  }
  return logged_in(people_, *std::move(account), std::move(next));
}

}  // namespace stagedoor::actions
