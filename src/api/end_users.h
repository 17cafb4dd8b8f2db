// GET /v1/apps/{app_id}/end-users, and GET, PUT and DELETE of one of them: the limits of single end
// users.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include "actions/keep_end_user_limit.h"
#include "front/guard.h"
#include "http/router.h"
#include "rules/caller.h"

namespace stagedoor::api {

// Safe for concurrent use.
class EndUsers {
 public:
  explicit EndUsers(const actions::KeepEndUserLimit& keep) : keep_(keep) {}
  // This must outlive the router.
  void add_to(http::Router& router, const front::Guard& guard) const;

 private:
  using Caller = rules::Caller;
  void list(const Caller& caller, const http::Request& request, http::Response& response) const;
  void show(const Caller& caller, const http::Request& request, http::Response& response) const;
  void set(const Caller& caller, const http::Request& request, http::Response& response) const;
  void remove(const Caller& caller, const http::Request& request, http::Response& response) const;

  const actions::KeepEndUserLimit& keep_;
};

}  // namespace stagedoor::api
