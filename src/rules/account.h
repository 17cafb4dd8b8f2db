// An account: a person as we know them, with a password of ours or an identity from elsewhere.
//
// Rule account-one-per-email: an e-mail is one account of our own, whatever the case of its
// letters; so two accounts can't be taken for one another. Of somebody from an identity provider
// the e-mail is what that provider says, and issuer and subject tell who it is.
//
// Rule account-unknown-alike: an unknown e-mail and a wrong password are answered in the same words
// and status after the same work; so nobody learns who has an account.
//
// Rule account-external-id: somebody from an identity provider has an account id that is made of
// their issuer and subject, before anything of theirs is kept and after; so what they own stays
// theirs when they become a member.
//
// Rule log-out-everywhere: every account has a generation, every access token of ours names it, and
// a token of another one is refused at once. A log-out everywhere and a change of password begin
// the next generation and revoke all refresh tokens.
//
// Used by: actions/sign_up.h, actions/log_in.h, actions/log_out.h, actions/change_password.h
// Kept by: store/sqlite_accounts.h
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "rules/audit.h"
#include "rules/identity.h"
#include "rules/member.h"
#include "rules/refresh_token.h"

namespace stagedoor::rules {

inline constexpr std::size_t email_bytes_max = 254;  // RFC 5321 4.5.3.1.3, less its brackets
inline constexpr std::size_t account_name_bytes_max = 100;

// An e-mail whose form was checked. We send none, so only what must be true of every one is.
struct Email {
  std::string text;  // as it was written
  std::string key;   // what tells e-mails apart: ASCII letters in lower case
};
// `malformed` with a hint: too long, not exactly one @, nothing before or behind it, a blank or a
// control character, or a domain that is none.
base::Result<Email> read_email(std::string_view text);

// "acc_" and 20 base62 characters.
std::string new_account_id(base::Random& random);
std::string account_id_of(std::string_view issuer, std::string_view subject);
// By its form alone.
bool is_account_id(std::string_view text);

struct Account {
  std::string id;
  std::string email;  // may be empty for a person from elsewhere
  std::string email_key;
  bool email_is_verified = false;  // by an identity provider; we ourselves send no mail
  std::string issuer, subject;     // empty for our own
  std::string name;
  std::string password_hash;  // empty for a person from elsewhere
  std::int64_t generation = 1;
  base::Instant created_at;
};

// How a new account comes into a workspace; neither: into none.
struct Entrance {
  std::optional<crypto::Digest> invitation;  // the hash of its code
  std::optional<Membership> own_workspace;   // one to be made, and the role in it
};

// Where accounts and log-ins are kept. Safe for concurrent use; not from an event loop. What
// changes something is durable, with its audit entry, when it returns; a refusal changes nothing.
// The entry's `workspace_id` is filled in where only the store knows it.
class AccountStore {
 public:
  virtual ~AccountStore() = default;

  // `conflict` where the e-mail has an account; `not_found` for the invitation.
  virtual base::Result<std::optional<Membership>> create(const Account& account,
                                                         const Entrance& entrance,
                                                         AuditEntry entry) = 0;
  // nullopt: there is none.
  virtual base::Result<std::optional<Account>> local_account(const std::string& email_key) = 0;
  virtual base::Result<std::optional<Account>> account(const std::string& id) = 0;

  // A new log-in of an account as it was when its password was checked; `unauthenticated` where it
  // has begun another generation since. More than `log_ins_per_account_max` end the oldest.
  virtual base::Result<base::Done> begin_log_in(const RefreshToken& token, std::int64_t generation,
                                                AuditEntry entry) = 0;
  // Judges the token of hash `shown` (rules/refresh_token.h) and does what follows. `next` is what
  // comes after it; its account and family are filled in. `unauthenticated` for all that is not
  // accepted; one that was used before has then revoked its family, and the log has it.
  virtual base::Result<Account> refresh(const crypto::Digest& shown, RefreshToken next,
                                        AuditEntry entry) = 0;
  // Of the log-in that the token belongs to; done also where there is none.
  virtual base::Result<base::Done> end_log_in(const crypto::Digest& shown, AuditEntry entry) = 0;
  // The next generation: its number. Ends all log-ins. `not_found`.
  virtual base::Result<std::int64_t> end_all_log_ins(const std::string& account_id,
                                                     AuditEntry entry) = 0;
  // The same, with a new password and one new log-in. `conflict` where the password is not the one
  // that `old_hash` was made from any more.
  virtual base::Result<std::int64_t> change_password(const std::string& account_id,
                                                     const std::string& old_hash,
                                                     const std::string& new_hash,
                                                     const RefreshToken& log_in,
                                                     AuditEntry entry) = 0;
  // The same password at another cost; soon, without waiting.
  virtual void rehash(const std::string& account_id, const std::string& old_hash,
                      const std::string& new_hash) = 0;
};

}  // namespace stagedoor::rules
