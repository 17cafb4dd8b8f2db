// The people of a workspace, and those whom it invites.
//
//   GET    /v1/members                                      members:read   200
//   PATCH  /v1/members/{account_id}   {role}                members:write  200
//   DELETE /v1/members/{account_id}   (one's own: leaving)  members:write, or one's own  204
//   GET    /v1/invitations                                  members:read   200
//   POST   /v1/invitations            {email, role}         members:write  201, the code this once
//   DELETE /v1/invitations/{id}                             members:write  204
//   POST   /v1/invitations/accept     {code?}               any person     200
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include "actions/accept_invitation.h"
#include "actions/change_role.h"
#include "actions/invite_member.h"
#include "front/guard.h"
#include "http/router.h"

namespace stagedoor::api {

// Safe for concurrent use; outlives the router.
class WorkspaceMembers {
 public:
  explicit WorkspaceMembers(const actions::People& people);

  void add_to(http::Router& router, const front::Guard& guard) const;

 private:
  void list(const rules::Caller& caller, const http::Request& request,
            http::Response& response) const;
  void change(const rules::Caller& caller, const http::Request& request,
              http::Response& response) const;
  void remove(const rules::Caller& caller, const http::Request& request,
              http::Response& response) const;
  void list_invitations(const rules::Caller& caller, const http::Request& request,
                        http::Response& response) const;
  void invite(const rules::Caller& caller, const http::Request& request,
              http::Response& response) const;
  void withdraw(const rules::Caller& caller, const http::Request& request,
                http::Response& response) const;
  void accept(const rules::Caller& caller, const http::Request& request,
              http::Response& response) const;

  const actions::People& people_;
  actions::InviteMember invite_;
  actions::AcceptInvitation accept_;
  actions::ChangeRole change_role_;
};

}  // namespace stagedoor::api
