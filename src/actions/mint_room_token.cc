#include "actions/mint_room_token.h"

#include <algorithm>
#include <utility>

#include "actions/key_manager.h"
#include "base/json.h"
#include "rules/test_mode.h"

namespace stagedoor::actions {
namespace {

using base::ErrorCode;

void append_text(std::string& json, std::string_view name, std::string_view value) {
  json += json.empty() ? '{' : ',';
  base::append_json_string(json, name);
  json += ':';
  base::append_json_string(json, value);
}

std::string story_of(const rules::LiveKitRoomToken& token, const ChosenApp& place) {
  std::string json, grants;
  for (const auto grant : token.grants)
    grants += (grants.empty() ? "" : " ") + std::string(rules::name_of(grant));
  append_text(json, "service", "livekit");
  append_text(json, "environment", rules::name_of(place.environment));
  append_text(json, "app", place.app->id);
  append_text(json, "identity", token.identity.substr(0, 64));
  append_text(json, "grants", grants);
  return json + '}';
}

std::string story_of(const rules::AgoraRoomToken& token, const ChosenApp& place) {
  std::string json;
  append_text(json, "service", "agora");
  append_text(json, "environment", rules::name_of(place.environment));
  append_text(json, "app", place.app->id);
  append_text(json, "user", token.user.substr(0, 64));
  append_text(json, "role", token.role == rules::AgoraRole::publisher ? "publisher" : "subscriber");
  return json + '}';
}

}  // namespace

base::Result<base::Done> MintRoomToken::may_use(const ChosenApp& place,
                                                std::string_view room) const {
  const auto& app = *place.app;
  if (std::ranges::find(options_.workspaces, app.workspace_id) == options_.workspaces.end() &&
      std::ranges::find(options_.apps, app.id) == options_.apps.end()) {
    return base::fail(ErrorCode::forbidden, "room token for an app of others",
                      "This app may not mint room tokens here (settings rooms.workspaces and "
                      "rooms.apps).");
  }
  if (!options_.accepts_test_keys && place.environment != rules::Environment::live) {
    return base::fail(ErrorCode::forbidden, "room token for a test key",
                      "Test keys may not mint room tokens here (setting rooms.accept_test_keys).");
  }
  if (options_.rooms_by_app && !room.starts_with(app.id + "-")) {
    return base::fail(
        ErrorCode::forbidden, "room token for a room of another app",
        "The room's name must begin with " + app.id + "- here (setting rooms.rooms_by_app).");
  }
  return base::Done{};
}

// Rule room-limits-as-sessions. A person who names nobody is counted as themselves.
base::Result<base::Done> MintRoomToken::check_limits(const rules::Caller& caller,
                                                     const ChosenApp& place,
                                                     std::string_view end_user,
                                                     const Call& call) const {
  const auto actor = caller.actor();
  const bool is_person = caller.kind() == rules::CallerKind::person;
  if (auto forced =
          rules::forced_refusal(rules::ForcedAt::minting, place.environment, {}, end_user);
      !forced)
    return forced;
  if (auto covered =
          rules::check_minutes(*place.app, place.environment, parts_.minutes, parts_.clock.now());
      !covered)
    return covered;
  return parts_.limit_end_user({.app = *place.app,
                                .environment = place.environment,
                                .end_user_id = is_person && end_user.empty() ? actor : end_user,
                                .step = LimitEndUser::Step::minting,
                                .actor = actor,
                                .peer = call.peer,
                                .request_id = call.request_id});
}

base::Result<base::Secret> MintRoomToken::sign(const ChosenApp& place,
                                               const rules::LiveKitRoomToken& wanted) const {
  if (parts_.livekit == nullptr) {
    return base::fail(ErrorCode::unsupported, "LiveKit is not set up",
                      "This server has no LiveKit project; it needs the settings "
                      "rooms.livekit_url, rooms.livekit_api_key and rooms.livekit_secret_file.");
  }
  if (const auto may = may_use(place, wanted.room); !may) return base::fail(may.error());
  const auto wide = std::ranges::find_if(wanted.grants, rules::is_for_all_rooms);
  if (wide != wanted.grants.end() && !options_.allows_grants_for_all_rooms) {
    return base::fail(ErrorCode::forbidden, "a grant for all rooms",
                      "grants." + std::string(rules::name_of(*wide)) +
                          " reaches all rooms of the project and is not given out here (setting "
                          "rooms.livekit_grants_for_all_rooms).");
  }
  return parts_.livekit->sign(wanted);
}

base::Result<base::Secret> MintRoomToken::sign(const ChosenApp& place,
                                               const rules::AgoraRoomToken& wanted) const {
  if (parts_.agora == nullptr) {
    return base::fail(ErrorCode::unsupported, "Agora is not set up",
                      "This server has no Agora project; it needs the settings "
                      "rooms.agora_app_id and rooms.agora_certificate_file.");
  }
  if (const auto may = may_use(place, wanted.channel); !may) return base::fail(may.error());
  return parts_.agora->sign(wanted);
}

base::Result<MintRoomToken::Minted> MintRoomToken::operator()(const rules::Caller& caller,
                                                              rules::LiveKitRoomToken wanted,
                                                              std::chrono::seconds lifetime,
                                                              const Call& call) const {
  const auto place = choose_app(parts_.catalog, caller, call.app_id, call.environment);
  if (!place) return base::fail(place.error());
  wanted.id = "rt_" + base::random_base62(parts_.random, 20);
  wanted.environment = place->environment;
  wanted.issued_at = std::chrono::floor<std::chrono::seconds>(parts_.clock.now());
  wanted.expires_at = wanted.issued_at + lifetime;
  auto token = sign(*place, wanted);
  if (!token) return base::fail(token.error());
  if (auto within = check_limits(caller, *place, wanted.identity, call); !within)
    return base::fail(within.error());
  if (auto kept = record(caller, *place, call, wanted.room, story_of(wanted, *place)); !kept)
    return base::fail(kept.error());
  return Minted{*std::move(token), wanted.environment, wanted.expires_at};
}

base::Result<MintRoomToken::Minted> MintRoomToken::operator()(const rules::Caller& caller,
                                                              rules::AgoraRoomToken wanted,
                                                              const Call& call) const {
  const auto place = choose_app(parts_.catalog, caller, call.app_id, call.environment);
  if (!place) return base::fail(place.error());
  wanted.salt = rules::new_agora_salt(parts_.random);
  wanted.issued_at = std::chrono::floor<std::chrono::seconds>(parts_.clock.now());
  auto token = sign(*place, wanted);
  if (!token) return base::fail(token.error());
  if (auto within = check_limits(caller, *place, wanted.user, call); !within)
    return base::fail(within.error());
  if (auto kept = record(caller, *place, call, wanted.channel, story_of(wanted, *place)); !kept)
    return base::fail(kept.error());
  return Minted{*std::move(token), place->environment, wanted.issued_at + wanted.lifetime};
}

base::Result<base::Done> MintRoomToken::record(const rules::Caller& caller, const ChosenApp& place,
                                               const Call& call, std::string subject,
                                               std::string detail) const {
  const auto minter =
      KeyManager::of(caller, {std::string(call.peer), std::string(call.request_id)});
  auto entry = minter.entry(parts_.clock.now(), rules::AuditAction::room_token_mint,
                            std::move(subject), place.app->workspace_id);
  entry.detail = std::move(detail);
  return parts_.records.record(minter.maker(), std::move(entry));
}

}  // namespace stagedoor::actions
