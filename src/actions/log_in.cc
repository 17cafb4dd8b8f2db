#include "actions/log_in.h"

#include <utility>

namespace stagedoor::actions {

base::Result<LoggedIn> LogIn::operator()(const rules::Email& email, const base::Secret& password,
                                         const CallOrigin& origin) const {
  auto account = people_.accounts.local_account(email.key);
  if (!account) return base::fail(account.error());
  const bool is_known = account->has_value();
  const auto id = is_known ? (*account)->id : std::string();
  const auto right =
      people_.passwords.verify(password, is_known ? (*account)->password_hash : std::string());
  if (!right) return base::fail(right.error());
  auto entry = entry_of(people_, origin, id, rules::AuditAction::account_log_in, id);
  if (*right != crypto::PasswordHasher::Verdict::right) {
    const base::Error error{base::ErrorCode::unauthenticated,
                            is_known ? "a wrong password" : "an e-mail without an account",
                            "The e-mail or the password is not right."};
    note_refusal(people_, std::move(entry), error);
    return base::fail(error);
  }
  renew_hash(**account, password);
  auto refresh = first_refresh_token(people_, id);
  if (auto begun =
          people_.accounts.begin_log_in(refresh.kept, (*account)->generation, std::move(entry));
      !begun)
    return base::fail(begun.error());
  return logged_in(people_, **std::move(account), std::move(refresh));
}

void LogIn::renew_hash(const rules::Account& account, const base::Secret& password) const {
  if (!people_.passwords.is_outdated(account.password_hash)) return;
  if (auto hash = people_.passwords.hash(password))
    people_.accounts.rehash(account.id, account.password_hash, *hash);
}

}  // namespace stagedoor::actions
