#include "actions/change_password.h"

#include <utility>

namespace stagedoor::actions {

using base::ErrorCode;

base::Result<LoggedIn> ChangePassword::operator()(const rules::Caller& caller,
                                                  const base::Secret& current,
                                                  const base::Secret& wanted,
                                                  const CallOrigin& origin) const {
  if (auto ours = check_is_ours(people_, caller); !ours) return base::fail(ours.error());
  if (auto right = crypto::check_password(wanted); !right) return base::fail(right.error());
  const auto& id = caller.account_id();
  auto account = people_.accounts.account(id);
  if (!account) return base::fail(account.error());
  if (!*account) return base::fail(ErrorCode::unauthenticated, "an account that is gone");
  const auto right = people_.passwords.verify(current, (*account)->password_hash);
  if (!right) return base::fail(right.error());
  auto entry =
      entry_of(people_, origin, caller.actor(), rules::AuditAction::account_change_password, id);
  if (*right != crypto::PasswordHasher::Verdict::right) {
    const base::Error error{ErrorCode::forbidden, "a wrong current password",
                            "The current password is not right."};
    note_refusal(people_, std::move(entry), error);
    return base::fail(error);
  }
  auto hash = people_.passwords.hash(wanted);
  if (!hash) return base::fail(hash.error());
  auto refresh = first_refresh_token(people_, id);
  const auto generation = people_.accounts.change_password(id, (*account)->password_hash, *hash,
                                                           refresh.kept, std::move(entry));
  if (!generation) return base::fail(generation.error());
  (*account)->generation = *generation;
  return logged_in(people_, **std::move(account), std::move(refresh));
}

}  // namespace stagedoor::actions
