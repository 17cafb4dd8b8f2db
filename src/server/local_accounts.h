// Accounts of our own, wired: the verbs, and the part of our API that calls them.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <array>
#include <string>

#include "actions/people.h"
#include "api/accounts.h"
#include "api/me.h"
#include "api/members.h"
#include "crypto/password.h"
#include "server/reception.h"

namespace stagedoor::server {

// Safe for concurrent use; outlives the router.
class LocalAccounts {
 public:
  LocalAccounts(Workspace& workspace, const Config& config, Reception& reception,
                const std::string& public_url);

  void add_to(http::Router& router, const front::Guard& guard) const;

 private:
  crypto::PasswordHasher passwords_;
  const actions::People people_;
  api::Accounts accounts_;
  api::WorkspaceMembers members_;
  api::Me me_;
};

}  // namespace stagedoor::server
