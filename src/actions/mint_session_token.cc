#include "actions/mint_session_token.h"

#include <algorithm>
#include <utility>

#include "actions/choose_app.h"
#include "rules/built_in.h"
#include "rules/test_mode.h"

namespace stagedoor::actions {

using base::ErrorCode;

namespace {

template <class T>
T at_most(const std::optional<T>& wish, T limit) {
  return wish ? std::clamp(*wish, T{1}, limit) : limit;
}

// What is wrong with a wish, whoever has it.
base::Result<base::Done> check(const MintSessionToken::Request& request, base::Instant now) {
  if (const auto checked = rules::check_lifetime(request.expires_at, now); !checked) return checked;
  const auto malformed = [](std::string detail, std::string hint) {
    return base::fail(ErrorCode::malformed, std::move(detail), std::move(hint));
  };
  if (request.end_user_id.size() > rules::session_token_subject_bytes_max)
    return malformed("mint for an end user with a long id",
                     "An end user's id has at most 256 bytes.");
  if (request.connect_by && *request.connect_by <= now)
    return malformed("connect-by not in the future", "connect_by must lie in the future.");
  for (const auto& origin : request.allowed_origins)
    if (!rules::is_origin(origin))
      return malformed("mint for an odd origin",
                       "allowed_origins holds origins as browsers send them, in lower case and "
                       "without a path: https://example.com or http://localhost:8080.");
  if (request.allowed_origins.size() > rules::session_token_origins_max ||
      request.regions.size() > rules::session_token_regions_max ||
      request.metadata.size() > rules::session_token_metadata_bytes_max)
    return malformed("mint with too much",
                     "At most 8 origins, 8 regions and 1024 bytes of metadata.");
  return base::Done{};
}

}  // namespace

base::Result<MintSessionToken::Minted> MintSessionToken::operator()(const rules::Caller& caller,
                                                                    const Request& request) const {
  const auto now = parts_.clock.now();
  if (const auto checked = check(request, now); !checked) return base::fail(checked.error());
  const auto chosen = choose_app(parts_.catalog, caller, request.app_id, request.environment);
  if (!chosen) return base::fail(chosen.error());
  const auto& app = *chosen->app;
  if (auto forced = rules::forced_refusal(rules::ForcedAt::minting, chosen->environment,
                                          request.avatar_id, request.end_user_id);
      !forced)
    return base::fail(forced.error());
  if (!request.avatar_id.empty() &&
      !rules::is_test_avatar(chosen->environment, request.avatar_id) &&
      !rules::avatar_in({app.workspace_id, chosen->environment, app.id}, parts_.catalog,
                        request.avatar_id))
    return base::fail(ErrorCode::avatar_unknown, "mint for an unknown avatar",
                      "There is no avatar with the id given.");
  if (auto covered = rules::check_minutes(app, chosen->environment, parts_.minutes, now); !covered)
    return base::fail(covered.error());
  // Of an API key (rule session-token-lifetime); a person's has no end of its own.
  const auto expires_at =
      std::min(request.expires_at, caller.key_expires_at().value_or(request.expires_at));
  auto actor = caller.actor();
  // A person who names no end user is one.
  const bool is_person = caller.kind() == rules::CallerKind::person;
  const std::string_view end_user =
      is_person && request.end_user_id.empty() ? actor : request.end_user_id;
  if (auto counted = parts_.limit_end_user({.app = app,
                                            .environment = chosen->environment,
                                            .end_user_id = end_user,
                                            .step = LimitEndUser::Step::minting,
                                            .actor = actor,
                                            .peer = request.peer,
                                            .request_id = request.request_id});
      !counted)
    return base::fail(counted.error());

  rules::SessionToken token{.id = rules::new_session_token_id(parts_.random, now),
                            .issuer = options_.issuer,
                            .subject = request.end_user_id.empty() ? app.id : request.end_user_id,
                            .account_id = app.workspace_id,
                            .app_id = app.id,
                            .api_key_id = std::move(actor),
                            .region = options_.region,
                            .environment = chosen->environment,
                            .avatar_id = request.avatar_id,
                            .issued_at = now,
                            .expires_at = expires_at,
                            .uses_max = at_most(request.uses_max, app.limits.token_uses_max),
                            .leash = leash_for(app, request, expires_at, now),
                            .regions = request.regions,
                            .allowed_origins = request.allowed_origins,
                            .metadata = request.metadata,
                            .persona = request.persona};
  base::Secret text(parts_.keys.sign(rules::claims_json(token)));
  if (text.expose().size() > rules::session_token_bytes_max)
    return base::fail(ErrorCode::malformed, "a session token over 4096 bytes",
                      "A session token has at most 4096 bytes; this one would have " +
                          std::to_string(text.expose().size()) +
                          ": shorten metadata, allowed_origins or end_user_id.");
  return Minted{.token = std::move(text), .applied = std::move(token)};
}

rules::Leash MintSessionToken::leash_for(const rules::App& app, const Request& request,
                                         base::Instant expires_at, base::Instant now) const {
  auto connect_by = expires_at;
  // No token lives longer, and a sum with a larger number would overflow.
  const auto connect_within = std::min<std::chrono::seconds>(
      request.connect_within.value_or(options_.connect_within), rules::session_token_lifetime_max);
  if (connect_within.count() > 0) connect_by = std::min(connect_by, now + connect_within);
  if (request.connect_by) connect_by = std::min(connect_by, *request.connect_by);
  const auto length_max = at_most(request.length_max, app.limits.length_max);
  const auto warning = request.warning_before.value_or(std::chrono::seconds(0));
  return {.connect_by = connect_by,
          .length_max = length_max,
          .idle_max = at_most(request.idle_max, app.limits.idle_max),
          .sessions_max = at_most(request.sessions_max, app.limits.sessions_max),
          .warning_before = std::clamp(warning, std::chrono::seconds(0), length_max)};
}

}  // namespace stagedoor::actions
