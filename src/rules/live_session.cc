#include "rules/live_session.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <utility>

#include "base/text.h"

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

std::string new_face_session_id(base::Random& random, base::Instant now) {
  std::array<std::uint8_t, 16> bytes{};
  random.fill(bytes);
  const auto millis = static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count());
  for (std::size_t at = 0; at < 6; ++at)
    bytes[at] = static_cast<std::uint8_t>(millis >> (40 - 8 * at));
  bytes[6] = static_cast<std::uint8_t>(0x70 | (bytes[6] & 0x0f));
  bytes[8] = static_cast<std::uint8_t>(0x80 | (bytes[8] & 0x3f));
  const auto text = base::hex(bytes);
  return fmt::format("{}-{}-{}-{}-{}", text.substr(0, 8), text.substr(8, 4), text.substr(12, 4),
                     text.substr(16, 4), text.substr(20));
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
