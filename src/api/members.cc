#include "api/members.h"

#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "api/account_json.h"
#include "api/body.h"
#include "api/problem.h"

namespace stagedoor::api {
namespace {

using rules::Permission;

actions::CallOrigin origin_of(const http::Request& request) {
  return {.peer = request.peer(), .request_id = request.id()};
}

actions::MemberActor actor_of(const rules::Caller& caller) {
  return actions::MemberActor::of_account(caller.account_id());
}

std::optional<rules::Role> role_in(Body& body) {
  constexpr std::array roles = {rules::Role::viewer, rules::Role::developer, rules::Role::admin,
                                rules::Role::owner};
  std::vector<std::string_view> names;
  for (const auto role : roles) names.push_back(rules::name_of(role));
  const auto word = body.word_if("role", names);
  if (!word) body.refuse("role", "must be viewer, developer, admin or owner");
  return word ? std::optional(roles[*word]) : std::nullopt;
}

void reply_done(http::Response& response) {
  response.header("Cache-Control", "no-store");
  response.start(204, "");
}

}  // namespace

WorkspaceMembers::WorkspaceMembers(const actions::People& people)
    : people_(people),
      invite_({.members = people.members, .clock = people.clock, .random = people.random}),
      accept_(people),
      change_role_({.members = people.members, .clock = people.clock}) {}

void WorkspaceMembers::add_to(http::Router& router, const front::Guard& guard) const {
  using Method =
      void (WorkspaceMembers::*)(const rules::Caller&, const http::Request&, http::Response&) const;
  const auto add = [&](const char* verb, const char* path, std::optional<Permission> needs,
                       Method method) {
    router.add({verb, path,
                guard.slow(needs, [this, method](const rules::Caller& caller,
                                                 const http::Request& in, http::Response& out) {
                  (this->*method)(caller, in, out);
                })});
  };
  add("GET", "/v1/members", Permission::members_read, &WorkspaceMembers::list);
  add("PATCH", "/v1/members/{account_id}", Permission::members_write, &WorkspaceMembers::change);
  // Everybody may leave; rules/role.h says who may do more.
  add("DELETE", "/v1/members/{account_id}", std::nullopt, &WorkspaceMembers::remove);
  add("GET", "/v1/invitations", Permission::members_read, &WorkspaceMembers::list_invitations);
  add("POST", "/v1/invitations", Permission::members_write, &WorkspaceMembers::invite);
  add("DELETE", "/v1/invitations/{id}", Permission::members_write, &WorkspaceMembers::withdraw);
  add("POST", "/v1/invitations/accept", std::nullopt, &WorkspaceMembers::accept);
}

void WorkspaceMembers::list(const rules::Caller& caller, const http::Request&,
                            http::Response& response) const {
  const auto members = people_.members.members(caller.workspace_id());
  if (!members) return reply_problem(response, members.error());
  reply_list(response, *members, append_member);
}

void WorkspaceMembers::change(const rules::Caller& caller, const http::Request& request,
                              http::Response& response) const {
  Body body(request);
  const auto role = role_in(body);
  if (const auto read = body.finish(); !read) return reply_problem(response, read.error());
  const auto account_id = request.path_part("account_id");
  const auto done =
      change_role_(caller.workspace_id(), actor_of(caller), account_id, role, origin_of(request));
  if (!done) return reply_problem(response, done.error());
  response.header("Cache-Control", "no-store");
  auto& answer = response.start(200, "application/json");
  answer += '{';
  append_text(answer, "account_id", account_id);
  append_text(answer, "role", rules::name_of(*role));
  answer += '}';
}

void WorkspaceMembers::remove(const rules::Caller& caller, const http::Request& request,
                              http::Response& response) const {
  if (caller.kind() != rules::CallerKind::person || caller.workspace_id().empty())
    return reply_problem(response, {base::ErrorCode::forbidden, "no member removes a member",
                                    "Only a member of the workspace changes its members."});
  const auto done = change_role_(caller.workspace_id(), actor_of(caller),
                                 request.path_part("account_id"), std::nullopt, origin_of(request));
  if (!done) return reply_problem(response, done.error());
  reply_done(response);
}

void WorkspaceMembers::list_invitations(const rules::Caller& caller, const http::Request&,
                                        http::Response& response) const {
  const auto open = people_.members.invitations(caller.workspace_id(), people_.clock.now());
  if (!open) return reply_problem(response, open.error());
  reply_list(response, *open, append_invitation);
}

void WorkspaceMembers::invite(const rules::Caller& caller, const http::Request& request,
                              http::Response& response) const {
  Body body(request);
  const auto email = body.text("email", {1, 512});
  const auto role = role_in(body);
  if (const auto read = body.finish(); !read) return reply_problem(response, read.error());
  const auto invited =
      invite_(caller.workspace_id(), actor_of(caller), email, *role, origin_of(request));
  if (!invited) return reply_problem(response, invited.error());
  response.header("Cache-Control", "no-store");
  auto& answer = response.start(201, "application/json");
  answer += "{\"invitation\":";
  append_invitation(answer, invited->invitation);
  append_text(answer, "code", invited->code.expose());
  answer += '}';
}

void WorkspaceMembers::withdraw(const rules::Caller& caller, const http::Request& request,
                                http::Response& response) const {
  const auto done = invite_.withdraw(caller.workspace_id(), actor_of(caller),
                                     request.path_part("id"), origin_of(request));
  if (!done) return reply_problem(response, done.error());
  reply_done(response);
}

void WorkspaceMembers::accept(const rules::Caller& caller, const http::Request& request,
                              http::Response& response) const {
  Body body(request);
  std::optional<base::Secret> code;
  if (const auto text = body.text_if("code", {1, rules::invitation_code_bytes_max}))
    code = base::Secret(*text);
  if (const auto read = body.finish(); !read) return reply_problem(response, read.error());
  const auto membership = accept_(caller, code, origin_of(request));
  if (!membership) return reply_problem(response, membership.error());
  response.header("Cache-Control", "no-store");
  append_membership(response.start(200, "application/json"), *membership);
}

}  // namespace stagedoor::api
