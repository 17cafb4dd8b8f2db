#include "rules/live_session.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <utility>

namespace stagedoor::rules {

std::string_view name_of(SessionEnd why) {
  switch (why) {
    case SessionEnd::length_reached:
      return "length_reached";
    case SessionEnd::idle:
      return "idle";
    case SessionEnd::revoked:
      return "revoked";
    case SessionEnd::shutting_down:
      return "shutting_down";
    case SessionEnd::ended:
      return "ended";
    case SessionEnd::replaced:
      return "replaced";
    case SessionEnd::minutes_used_up:
      return "minutes_used_up";
  }
  std::unreachable();
}

std::string new_session_id(base::Random& random, base::Instant now) {
  return fmt::format("{:%Y%m%d%H%M%S}_{}", fmt::gmtime(std::chrono::system_clock::to_time_t(now)),
                     base::random_base62(random, 12));
}

RevocableToken LiveSession::revocable() const {
  return {.workspace_id = workspace_id,
          .app_id = app_id,
          .environment = environment,
          .token_id = token_id,
          .end_user_id = end_user_id,
          .api_key_id = api_key_id,
          .avatar_id = avatar_id,
          .minted_at = minted_at};
}

bool LiveSession::is_visible_to(const Caller& caller) const {
  if (workspace_id.empty() || workspace_id != caller.workspace_id()) return false;
  return caller.kind() == CallerKind::person ||
         (app_id == caller.app().id && environment == caller.environment());
}

}  // namespace stagedoor::rules
