#include "server/local_accounts.h"

namespace stagedoor::server {
namespace {

actions::SignUpFor sign_up_for(const std::string& name) {
  if (name == "open") return actions::SignUpFor::everybody;
  return name == "invited" ? actions::SignUpFor::invited : actions::SignUpFor::nobody;
}

}  // namespace

LocalAccounts::LocalAccounts(Workspace& workspace, const Config& config, Reception& reception,
                             const std::string& public_url)
    : passwords_(config.password_cost, workspace.random),
      people_{.accounts = *workspace.accounts,
              .members = *workspace.members,
              .passwords = passwords_,
              .keys = *workspace.people_keys,
              .refresh_key = *workspace.refresh_key,
              .audit = reception.audit(),
              .clock = workspace.clock,
              .random = workspace.random},
      accounts_(people_, sign_up_for(config.sign_up), reception.admit()),
      members_(people_),
      me_(people_, public_url) {}

void LocalAccounts::add_to(http::Router& router, const front::Guard& guard) const {
  accounts_.add_to(router, guard);
  members_.add_to(router, guard);
  me_.add_to(router, guard);
}

}  // namespace stagedoor::server
