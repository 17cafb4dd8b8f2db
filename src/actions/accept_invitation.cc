#include "actions/accept_invitation.h"

#include <utility>

namespace stagedoor::actions {

base::Result<rules::Account> AcceptInvitation::account_of(const rules::Caller& caller) const {
  if (caller.kind() != rules::CallerKind::person)
    return base::fail(base::ErrorCode::forbidden, "an API key accepts an invitation",
                      "An invitation is for a person; an API key can't accept it.");
  const auto& identity = caller.identity();
  if (identity.issuer == people_.keys.issuer()) {
    auto account = people_.accounts.account(caller.account_id());
    if (!account) return base::fail(account.error());
    if (!*account) return base::fail(base::ErrorCode::unauthenticated, "an account that is gone");
    return **std::move(account);
  }
  auto email = rules::read_email(identity.email);
  if (!email || !identity.email_is_verified)
    return rules::no_such_invitation("an e-mail that the issuer does not vouch for");
  rules::Account account;
  account.id = caller.account_id();
  account.email = std::move(email->text);
  account.email_key = std::move(email->key);
  account.email_is_verified = true;
  account.issuer = identity.issuer;
  account.subject = identity.subject;
  account.created_at = people_.clock.now();
  return account;
}

base::Result<rules::Membership> AcceptInvitation::operator()(
    const rules::Caller& caller, const std::optional<base::Secret>& code,
    const CallOrigin& origin) const {
  const auto account = account_of(caller);
  if (!account) return base::fail(account.error());
  std::optional<crypto::Digest> hash;
  if (code) hash = rules::hash_of_invitation_code(code->expose());
  auto entry = entry_of(people_, origin, caller.actor(),
                        rules::AuditAction::member_accept_invitation, caller.account_id());
  auto membership = people_.members.accept_invitation(hash, *account, entry);
  if (!membership) note_refusal(people_, std::move(entry), membership.error());
  return membership;
}

}  // namespace stagedoor::actions
