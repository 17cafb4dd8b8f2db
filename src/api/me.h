// Who am I, and where do I belong; and the public keys that check our people's tokens.
//
//   GET /v1/me                             any key or person
//   GET /v1/workspaces                     any person; the header Stagedoor-Workspace chooses one
//   GET /.well-known/jwks.json             everybody
//   GET /.well-known/openid-configuration  everybody (OpenID Connect Discovery 3: what checking a
//                                          token takes, and no more)
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <string>

#include "actions/people.h"
#include "front/guard.h"
#include "http/router.h"

namespace stagedoor::api {

// Safe for concurrent use; outlives the router.
class Me {
 public:
  // `public_url` is where others reach this server, without a slash at its end.
  Me(const actions::People& people, const std::string& public_url);

  void add_to(http::Router& router, const front::Guard& guard) const;

 private:
  void who_am_i(const rules::Caller& caller, const http::Request& request,
                http::Response& response) const;
  void workspaces(const rules::Caller& caller, const http::Request& request,
                  http::Response& response) const;

  const actions::People& people_;
  std::string discovery_;
};

}  // namespace stagedoor::api
