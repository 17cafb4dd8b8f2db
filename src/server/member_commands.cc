#include "server/member_commands.h"

#include <fmt/format.h>

#include "actions/change_role.h"
#include "actions/invite_member.h"
#include "base/json.h"
#include "server/complain.h"
#include "server/workspace.h"

namespace stagedoor::server {
namespace {

std::string json_text(std::string_view text) {
  std::string out;
  base::append_json_string(out, text);
  return out;
}

}  // namespace

base::Result<std::string> meant_workspace(Workspace& workspace, const std::string& named) {
  std::vector<std::string> ids;
  const auto read =
      workspace.readers->read([&](store::SqliteDatabase& database) -> base::Result<base::Done> {
        auto all = database.prepare("SELECT id FROM workspaces WHERE ?1 = '' OR id = ?1 LIMIT 2");
        if (!all) return base::fail(all.error());
        all->bind(1, named);
        while (all->step() == store::SqliteStatement::Step::row) ids.emplace_back(all->text(0));
        return base::Done{};
      });
  if (!read) return base::fail(read.error());
  if (ids.size() == 1) return ids.front();
  return base::fail(base::ErrorCode::malformed, "which workspace",
                    named.empty() ? "There are several workspaces; say which with --workspace."
                                  : "There is no workspace " + named + ".");
}

int invite_member(const std::string& data, const Config& config, const MemberWish& wish,
                  bool json) {
  const auto role = rules::parse_role(wish.role);
  if (!role)
    return complain(
        {base::ErrorCode::malformed, "role", "A role is viewer, developer, admin or owner."});
  const auto workspace = Workspace::open({data}, config);
  if (!workspace) return complain(workspace.error());
  const auto id = meant_workspace(**workspace, wish.workspace_id);
  if (!id) return complain(id.error());
  const actions::InviteMember invite({.members = *(*workspace)->members,
                                      .clock = (*workspace)->clock,
                                      .random = (*workspace)->random});
  const auto invited = invite(*id, actions::MemberActor::of_operator(), wish.email, *role, {});
  if (!invited) return complain(invited.error());
  const auto& invitation = invited->invitation;
  if (json) {
    fmt::print(
        "{{\"id\":\"{}\",\"workspace_id\":\"{}\",\"email\":{},\"role\":\"{}\",\"code\":\"{}\","
        "\"expires_at\":{}}}\n",
        invitation.id, *id, json_text(invitation.email_key), wish.role, invited->code.expose(),
        base::unix_seconds(invitation.expires_at));
  } else {
    fmt::print(
        "{}\nThe code is shown this once. With it {} signs up (POST /v1/accounts) or, with an "
        "account,\naccepts (POST /v1/invitations/accept), within 7 days.\n",
        invited->code.expose(), invitation.email_key);
  }
  return 0;
}

int list_members(const std::string& data, const Config& config, const MemberWish& wish, bool json) {
  const auto workspace = Workspace::open({data}, config);
  if (!workspace) return complain(workspace.error());
  const auto id = meant_workspace(**workspace, wish.workspace_id);
  if (!id) return complain(id.error());
  const auto members = (*workspace)->members->members(*id);
  if (!members) return complain(members.error());
  if (!json) fmt::print("{:<26}{:<12}{}\n", "ID", "ROLE", "E-MAIL");
  for (const auto& member : *members) {
    if (json)
      fmt::print("{{\"account_id\":\"{}\",\"role\":\"{}\",\"email\":{},\"since_at\":{}}}\n",
                 member.account_id, rules::name_of(member.role), json_text(member.email),
                 base::unix_seconds(member.since));
    else
      fmt::print("{:<26}{:<12}{}\n", member.account_id, rules::name_of(member.role), member.email);
  }
  return 0;
}

int remove_member(const std::string& data, const Config& config, const MemberWish& wish) {
  const auto workspace = Workspace::open({data}, config);
  if (!workspace) return complain(workspace.error());
  const auto id = meant_workspace(**workspace, wish.workspace_id);
  if (!id) return complain(id.error());
  const actions::ChangeRole change(
      {.members = *(*workspace)->members, .clock = (*workspace)->clock});
  const auto done =
      change(*id, actions::MemberActor::of_operator(), wish.account_id, std::nullopt, {});
  if (!done) return complain(done.error());
  fmt::print("{} is no member any more.\n", wish.account_id);
  return 0;
}

}  // namespace stagedoor::server
