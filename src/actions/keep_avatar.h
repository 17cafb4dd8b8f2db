// Makes, renames and takes away the avatars of a workspace.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <string>
#include <string_view>

#include "actions/actor.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "rules/avatar_records.h"
#include "rules/caller.h"

namespace stagedoor::actions {

// Safe for concurrent use; not from an event loop.
class KeepAvatar {
 public:
  struct Parts {
    rules::AvatarRecords& avatars;
    const base::Clock& clock;
    base::Random& random;
  };
  explicit KeepAvatar(Parts parts) : parts_(parts) {}

  // Who does it, from where, and whose avatars they mean.
  class By {
   public:
    By(const rules::Caller& caller, std::string_view peer, std::string_view request_id)
        : actor_(caller, peer, request_id), scope_(rules::scope_in_both_environments(caller)) {}
    static By of_operator(std::string workspace_id) { return By(std::move(workspace_id)); }

   private:
    friend class KeepAvatar;
    explicit By(std::string workspace_id) : actor_(Actor::of_operator()) {
      scope_.workspace_id = std::move(workspace_id);
    }
    Actor actor_;
    rules::ItemScope scope_;
  };

  // All of them: `forbidden` for a test key. `malformed` for a name, `conflict`.
  base::Result<rules::Avatar> create(const By& by, std::string name, std::string character) const;
  // `malformed`, `not_found`; `forbidden` for what is built in.
  base::Result<rules::Avatar> rename(const By& by, std::string_view id,
                                     std::string_view name) const;
  base::Result<base::Done> remove(const By& by, std::string_view id,
                                  rules::AvatarRecords::Removal removal) const;

 private:
  base::Result<base::Done> check_may(const By& by, std::string_view id) const;
  rules::AuditEntry entry(const By& by, rules::AuditAction action, std::string_view id,
                          std::string_view detail) const;

  Parts parts_;
};

}  // namespace stagedoor::actions
