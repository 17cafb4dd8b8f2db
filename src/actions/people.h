// What the verbs of accounts and members stand on, and what they share.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/random.h"
#include "base/secret.h"
#include "crypto/hash.h"
#include "crypto/password.h"
#include "rules/account.h"
#include "rules/audit.h"
#include "rules/caller.h"
#include "rules/member.h"
#include "rules/people_keys.h"

namespace stagedoor::actions {

// All of them safe for concurrent use.
struct People {
  rules::AccountStore& accounts;
  rules::MemberStore& members;
  crypto::PasswordHasher& passwords;
  const rules::PeopleKeys& keys;
  const crypto::HmacKey& refresh_key;  // of the newest server secret
  rules::AuditLog& audit;
  const base::Clock& clock;
  base::Random& random;
};

// Where a call came from, for the audit log.
struct CallOrigin {
  std::string_view peer, request_id;
};

// A person who is logged in, with what proves it from here on.
struct LoggedIn {
  rules::Account account;
  base::Secret access_token, refresh_token;
  base::Instant access_expires_at, refresh_expires_at;
};

rules::AuditEntry entry_of(const People& people, const CallOrigin& origin, std::string actor,
                           rules::AuditAction action, std::string subject);

// `action` was refused; nobody waits for the entry.
void note_refusal(const People& people, rules::AuditEntry entry, const base::Error& error);

// A refresh token that lasts from now on, and what is kept of it. `family` is its log-in's.
struct NewRefreshToken {
  base::Secret text;
  rules::RefreshToken kept;
};
NewRefreshToken first_refresh_token(const People& people, const std::string& account_id);

// Signs an access token for the account as it is.
LoggedIn logged_in(const People& people, rules::Account account, NewRefreshToken refresh);

// `forbidden` for an API key, `unsupported` for a person whose identity another issuer vouches for.
base::Result<base::Done> check_is_ours(const People& people, const rules::Caller& caller);

}  // namespace stagedoor::actions
