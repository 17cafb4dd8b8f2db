#include "actions/sign_up.h"

#include <utility>

namespace stagedoor::actions {

using base::ErrorCode;

base::Result<base::Done> SignUp::check_may(const Request& request) const {
  if (for_ == SignUpFor::nobody)
    return base::fail(ErrorCode::forbidden, "sign-up is closed", "No accounts are made here.");
  if (for_ == SignUpFor::invited && !request.code)
    return base::fail(ErrorCode::forbidden, "sign-up without an invitation",
                      "Only who was invited makes an account here; send the invitation's code.");
  return base::Done{};
}

base::Result<SignUp::Made> SignUp::operator()(const Request& request,
                                              const CallOrigin& origin) const {
  if (auto may = check_may(request); !may) return base::fail(may.error());
  auto email = rules::read_email(request.email);
  if (!email) return base::fail(email.error());
  auto hash = people_.passwords.hash(request.password);
  if (!hash) return base::fail(hash.error());

  rules::Account account;
  account.id = rules::new_account_id(people_.random);
  account.email = std::move(email->text);
  account.email_key = std::move(email->key);
  account.name = request.name;
  account.password_hash = *std::move(hash);
  account.created_at = people_.clock.now();
  rules::Entrance entrance;
  if (request.code) {
    entrance.invitation = rules::hash_of_invitation_code(request.code->expose());
  } else {
    entrance.own_workspace =
        rules::Membership{.workspace_id = "ws_" + base::random_base62(people_.random, 20),
                          .workspace_name = "Workspace of " + account.email,
                          .role = rules::Role::owner};
  }
  auto membership = people_.accounts.create(
      account, entrance,
      entry_of(people_, origin, account.id, rules::AuditAction::account_create, account.id));
  if (!membership) return base::fail(membership.error());
  return Made{.account = std::move(account), .membership = *std::move(membership)};
}

}  // namespace stagedoor::actions
