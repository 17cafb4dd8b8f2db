// Accounts of our own: sign-up, log-in and out, passwords.
//
//   POST /v1/accounts           {email, password, name?, invitation_code?}     201
//   POST /v1/login              {email, password}                              200
//   POST /v1/refresh            {refresh_token}                                200
//   POST /v1/logout             {refresh_token}                                204
//   POST /v1/logout-everywhere  (a person's access token)                      204
//   POST /v1/password           (a person's access token) {current_password, new_password}  200
//
// Rule password-guesses-limited: log-ins are counted by network and by network and account, guesses
// at a password also by their own limit, and new accounts by network (the third seed's table), so
// that guessing is slow and a crowd of accounts takes time.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <string_view>

#include "actions/admit_call.h"
#include "actions/change_password.h"
#include "actions/log_in.h"
#include "actions/log_out.h"
#include "actions/refresh_log_in.h"
#include "actions/sign_up.h"
#include "front/guard.h"
#include "http/router.h"

namespace stagedoor::api {

// Safe for concurrent use; outlives the router.
class Accounts {
 public:
  Accounts(const actions::People& people, actions::SignUpFor sign_up_for,
           const actions::AdmitCall& admit);

  void add_to(http::Router& router, const front::Guard& guard) const;

 private:
  void sign_up(const http::Request& request, http::Response& response) const;
  void log_in(const http::Request& request, http::Response& response) const;
  void refresh(const http::Request& request, http::Response& response) const;
  void log_out(const http::Request& request, http::Response& response) const;
  void log_out_everywhere(const rules::Caller& caller, const http::Request& request,
                          http::Response& response) const;
  void change_password(const rules::Caller& caller, const http::Request& request,
                       http::Response& response) const;
  // False where it is one try too many; the refusal is then written.
  bool may_try(rules::RateKind kind, std::string_view whose, const http::Request& request,
               http::Response& response) const;

  actions::SignUp sign_up_;
  actions::LogIn log_in_;
  actions::RefreshLogIn refresh_;
  actions::LogOut log_out_;
  actions::ChangePassword change_password_;
  const actions::AdmitCall& admit_;
};

}  // namespace stagedoor::api
