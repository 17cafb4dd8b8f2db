#include "server/avatar_commands.h"

#include <fmt/format.h>

#include "base/json.h"
#include "server/complain.h"
#include "server/member_commands.h"
#include "server/workspace.h"
#include "stage/characters.h"

namespace stagedoor::server {
namespace {

void print_avatar(const rules::Avatar& avatar, bool json) {
  if (!json) {
    fmt::print("{}  {}, drawn as {}\n", avatar.id, avatar.name, avatar.character);
    return;
  }
  std::string name;
  base::append_json_string(name, avatar.name);
  fmt::print("{{\"id\":\"{}\",\"name\":{},\"character\":\"{}\"}}\n", avatar.id, name,
             avatar.character);
}

}  // namespace

int list_avatars(const std::string& data, const Config& config, const AvatarWish& wish, bool json) {
  const auto workspace = Workspace::open({data}, config);
  if (!workspace) return complain(workspace.error());
  const auto of = meant_workspace(**workspace, wish.workspace_id);
  if (!of) return complain(of.error());
  const auto avatars = (*workspace)->avatars->of({.workspace_id = *of});
  if (!avatars) return complain(avatars.error());
  for (const auto& avatar : *avatars) print_avatar(avatar, json);
  return 0;
}

int create_avatar(const std::string& data, const Config& config, const AvatarWish& wish,
                  bool json) {
  if (const auto sheet = stage::sheet_of_character(wish.character); !sheet)
    return complain(sheet.error());
  const auto workspace = Workspace::open({data}, config);
  if (!workspace) return complain(workspace.error());
  const auto of = meant_workspace(**workspace, wish.workspace_id);
  if (!of) return complain(of.error());
  const auto made = (*workspace)
                        ->keep_avatar->create(actions::KeepAvatar::By::of_operator(*of), wish.name,
                                              wish.character);
  if (!made) return complain(made.error());
  print_avatar(*made, json);
  return 0;
}

}  // namespace stagedoor::server
