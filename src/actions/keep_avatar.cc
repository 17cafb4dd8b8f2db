#include "actions/keep_avatar.h"

#include <utility>

#include "rules/built_in.h"

namespace stagedoor::actions {
namespace {

using base::ErrorCode;
using rules::AuditAction;

}  // namespace

base::Result<base::Done> KeepAvatar::check_may(const By& by, std::string_view id) const {
  if (by.actor_.is_test_key())
    return base::fail(ErrorCode::forbidden, "an avatar changed by a test key",
                      "Both environments share an avatar, and a test key changes test data only: "
                      "use a live key.");
  if (rules::built_in_avatar(id) != nullptr)
    return base::fail(ErrorCode::forbidden, "a built-in avatar changed",
                      "This avatar is built in and stays as it is.");
  return base::Done{};
}

rules::AuditEntry KeepAvatar::entry(const By& by, AuditAction action, std::string_view id,
                                    std::string_view detail) const {
  return by.actor_.entry(parts_.clock.now(), by.scope_.workspace_id, action, id, detail);
}

base::Result<rules::Avatar> KeepAvatar::create(const By& by, std::string name,
                                               std::string character) const {
  if (auto may = check_may(by, ""); !may) return base::fail(may.error());
  if (auto checked = rules::check_avatar_name(name); !checked) return base::fail(checked.error());
  rules::Avatar avatar{.id = base::random_uuid(parts_.random),
                       .workspace_id = by.scope_.workspace_id,
                       .name = std::move(name),
                       .version = "1",
                       .character = std::move(character),
                       .created_at = parts_.clock.now(),
                       .updated_at = {},
                       .app_id = by.scope_.app_id};
  avatar.updated_at = avatar.created_at;
  if (auto made = parts_.avatars.create(
          avatar, entry(by, AuditAction::avatar_create, avatar.id, avatar.character));
      !made)
    return base::fail(made.error());
  return avatar;
}

base::Result<rules::Avatar> KeepAvatar::rename(const By& by, std::string_view id,
                                               std::string_view name) const {
  if (auto may = check_may(by, id); !may) return base::fail(may.error());
  if (auto checked = rules::check_avatar_name(name); !checked) return base::fail(checked.error());
  return parts_.avatars.rename(by.scope_, id, name, entry(by, AuditAction::avatar_change, id, ""));
}

base::Result<base::Done> KeepAvatar::remove(const By& by, std::string_view id,
                                            rules::AvatarRecords::Removal removal) const {
  if (auto may = check_may(by, id); !may) return may;
  const bool is_for_good = removal == rules::AvatarRecords::Removal::for_good;
  return parts_.avatars.remove(
      by.scope_, id, removal,
      entry(by, AuditAction::avatar_remove, id, is_for_good ? "for good" : ""));
}

}  // namespace stagedoor::actions
