#include "actions/mint_session_token.h"

#include <algorithm>

#include "rules/api_key.h"

namespace stagedoor::actions {
namespace {

template <class T>
T at_most(const std::optional<T>& wish, T limit) {
  return wish ? std::clamp(*wish, T{1}, limit) : limit;
}

}  // namespace

base::Result<MintSessionToken::Minted> MintSessionToken::operator()(const rules::Caller& caller,
                                                                    const Request& request) const {
  const auto now = parts_.clock.now();
  const auto& app = caller.app();

  if (const auto checked = rules::check_lifetime(request.expires_at, now); !checked)
    return base::fail(checked.error());
  if (!request.app_id.empty() && request.app_id != app.id) {
    return base::fail(base::ErrorCode::app_mismatch, "mint for another app than the key's",
                      "The API key belongs to another app than the appId given.");
  }
  if (request.end_user_id.size() > rules::session_token_subject_bytes_max) {
    return base::fail(base::ErrorCode::malformed, "mint for an end user with a long id",
                      "An end user's id has at most 256 bytes.");
  }
  if (!request.avatar_id.empty()) {
    const auto avatar = parts_.catalog.avatar(request.avatar_id);
    if (!avatar || avatar->workspace_id != app.workspace_id)
      return base::fail(base::ErrorCode::avatar_unknown, "mint for an unknown avatar",
                        "There is no avatar with the avatarId given.");
  }

  rules::SessionToken token{.id = rules::new_session_token_id(parts_.random, now),
                            .issuer = options_.issuer,
                            .subject = request.end_user_id.empty() ? app.id : request.end_user_id,
                            .account_id = app.workspace_id,
                            .app_id = app.id,
                            .api_key_id = rules::api_key_id_text(caller.api_key_id()),
                            .region = options_.region,
                            .environment = caller.environment(),
                            .avatar_id = request.avatar_id,
                            .issued_at = now,
                            .expires_at = request.expires_at,
                            .uses_max = at_most(request.uses_max, app.limits.token_uses_max),
                            .leash = leash_for(app, request, now)};
  base::Secret text(parts_.keys.sign(rules::claims_json(token)));
  return Minted{.token = std::move(text), .applied = std::move(token)};
}

rules::Leash MintSessionToken::leash_for(const rules::App& app, const Request& request,
                                         base::Instant now) const {
  auto connect_by = request.expires_at;
  // No token lives longer, and a sum with a larger number would overflow.
  const auto connect_within = std::min<std::chrono::seconds>(
      request.connect_within.value_or(options_.connect_within), rules::session_token_lifetime_max);
  if (connect_within.count() > 0) connect_by = std::min(connect_by, now + connect_within);
  return {.connect_by = connect_by,
          .length_max = at_most(request.length_max, app.limits.length_max),
          .idle_max = at_most(request.idle_max, app.limits.idle_max),
          .sessions_max = at_most(request.sessions_max, app.limits.sessions_max)};
}

}  // namespace stagedoor::actions
