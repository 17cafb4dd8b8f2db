// How the avatars of a workspace are made, changed and taken away.
//
// Rule avatar-changed-by-its-owners: people with personas:write, and live keys with that scope,
// make, change and take away the avatars of their workspace that are theirs (rules/item_scope.h).
// Both environments share an avatar, so a test key, which changes test data only, may look at them
// and no more. What is built in is changed by nobody, and what belongs to another workspace or app
// is the same `not_found` as nothing.
//
// Rule avatar-removed-softly: an avatar that was taken away is not found any more and nothing can
// be minted for it; its row stays, as what sessions and personas of before name, until it is taken
// away for good.
//
// Used by: actions/keep_avatar.h
// Kept by: store/sqlite_avatars.h
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "rules/app.h"
#include "rules/audit.h"
#include "rules/item_scope.h"

namespace stagedoor::rules {

inline constexpr std::int64_t avatars_of_workspace_max = 1000;
inline constexpr std::size_t avatar_name_characters_min = 3, avatar_name_characters_max = 50;

// `malformed` with a hint where a name is no name for an avatar: 3 to 50 characters.
base::Result<base::Done> check_avatar_name(std::string_view name);

// Which avatars a list shall hold.
struct AvatarQuery {
  std::string search;             // part of the name, without case, or the whole id; empty: all
  std::vector<std::string> tags;  // any of them; empty: all
  // All avatars are drawn; there are none of the other styles, and none made from a photograph.
  bool wants_drawn = true;
};
// What an avatar is found by besides its name.
std::vector<std::string_view> tags_of(const Avatar& avatar);
// Those that are meant of a workspace's own, in their order, and behind them of what is built in.
std::vector<Avatar> avatars_meant(std::vector<Avatar> own, const AvatarQuery& query);

// Where avatars are kept. They are read from the Catalog; safe for concurrent use; not from an
// event loop.
class AvatarRecords {
 public:
  virtual ~AvatarRecords() = default;
  // The newest first; at most avatars_of_workspace_max.
  virtual base::Result<std::vector<Avatar>> of(const ItemScope& scope) = 0;

  // Each of these is durable, with its entry, when it returns. `conflict` where the workspace has
  // all the avatars that it may have.
  virtual base::Result<base::Done> create(const Avatar& avatar, const AuditEntry& entry) = 0;
  // `not_found` also for what is outside the scope.
  virtual base::Result<Avatar> rename(const ItemScope& scope, std::string_view id,
                                      std::string_view name, const AuditEntry& entry) = 0;
  // `for_good` also takes what was removed softly before. Where the avatar is an app's, its id
  // stands before the entry's detail: what is gone for good says nowhere else whose it was.
  enum class Removal : unsigned char { soft, for_good };
  virtual base::Result<base::Done> remove(const ItemScope& scope, std::string_view id,
                                          Removal removal, const AuditEntry& entry) = 0;
};

}  // namespace stagedoor::rules
