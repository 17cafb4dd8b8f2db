// Makes an account with a password.
//
// Rule account-sign-up-closed: by default only who holds an invitation's code makes an account;
// without one nobody learns whether an e-mail has an account, and no crowd fills the store.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <optional>
#include <string>

#include "actions/people.h"

namespace stagedoor::actions {

enum class SignUpFor : unsigned char { nobody, invited, everybody };

// Safe for concurrent use; not from an event loop.
class SignUp {
 public:
  SignUp(const People& people, SignUpFor sign_up_for) : people_(people), for_(sign_up_for) {}

  struct Request {
    std::string email;
    base::Secret password;
    std::string name;                  // may be empty
    std::optional<base::Secret> code;  // of an invitation
  };
  struct Made {
    rules::Account account;
    std::optional<rules::Membership> membership;
  };
  // With a code the account comes into the invitation's workspace; without one, where everybody may
  // sign up, it gets a workspace of its own. `forbidden`, `malformed`, `not_found` for the code,
  // `conflict` where the e-mail has an account, `unavailable`; then nothing was made.
  base::Result<Made> operator()(const Request& request, const CallOrigin& origin) const;

 private:
  base::Result<base::Done> check_may(const Request& request) const;

  const People& people_;
  const SignUpFor for_;
};

}  // namespace stagedoor::actions
