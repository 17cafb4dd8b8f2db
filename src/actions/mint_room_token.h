// Mints a room token for a caller: the way into a room of LiveKit or Agora (rules/room_token.h).
// Nothing is kept but an entry in the audit log, without which no token is given out (rule
// audit-fail-closed), and which is not written for a caller who was revoked meanwhile (rule
// api-key-maker-in-good-standing): a room service can't take a token back.
//
// Rule room-secret-stays: what room services sign with is read from private files and never leaves
// the server; an app that may mint room tokens gets tokens, not the secret.
//
// Rule room-grants-for-all-rooms: grants that reach past the token's room, into all of a LiveKit
// project, are refused unless the settings allow them: the project may serve other apps too.
//
// Rule room-apps-apart: the settings name whose apps may mint, by default those of the first
// workspace; and where several apps share a project, each only for rooms whose names begin with its
// App ID. What signs is one for the whole server, and asks nothing about who owns a room.
//
// Rule room-limits-as-sessions: whoever enters a room is an end user of the app, by their identity:
// their limit, the app's minutes of the month and the forced refusals of test mode hold for room
// tokens as they do for session tokens.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "actions/choose_app.h"
#include "actions/limit_end_user.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "base/secret.h"
#include "rules/api_key_records.h"
#include "rules/audit.h"
#include "rules/caller.h"
#include "rules/monthly_minutes.h"
#include "rules/room_token.h"

namespace stagedoor::actions {

// Safe for concurrent use; waits for the disk.
class MintRoomToken {
 public:
  struct Parts {
    const rules::LiveKitSigner* livekit;  // null: not set up
    const rules::AgoraSigner* agora;
    const rules::Catalog& catalog;
    rules::ApiKeyRecords& records;
    const LimitEndUser& limit_end_user;
    const rules::MinuteMeter& minutes;
    const base::Clock& clock;
    base::Random& random;
  };
  struct Options {
    bool allows_grants_for_all_rooms = false;
    bool accepts_test_keys = false;
    // Whose apps may mint: all of these workspaces, and these.
    std::vector<std::string> workspaces, apps;
    // Whether a room's name must begin with the App ID and a hyphen.
    bool rooms_by_app = false;
  };
  MintRoomToken(Parts parts, Options options) : parts_(parts), options_(std::move(options)) {}

  struct Call {
    std::string_view app_id = {};  // a person says both; a key has them
    std::optional<rules::Environment> environment = {};
    std::string_view peer, request_id;  // for the audit log
  };
  struct Minted {
    base::Secret token;
    rules::Environment environment;
    base::Instant expires_at;
  };

  // Both fill in what is theirs (id, salt, times, environment) and take the rest from `wanted`.
  // What choose_app says; `unsupported` where the service is not set up, `forbidden` for an app, a
  // test key, a room or a grant that the settings refuse, `payment_required`, `rate_limited` (the
  // end user), `unavailable` where it can't be recorded, `malformed` with a hint that names the
  // member at fault.
  base::Result<Minted> operator()(const rules::Caller& caller, rules::LiveKitRoomToken wanted,
                                  std::chrono::seconds lifetime, const Call& call) const;
  base::Result<Minted> operator()(const rules::Caller& caller, rules::AgoraRoomToken wanted,
                                  const Call& call) const;

 private:
  base::Result<base::Done> check_limits(const rules::Caller& caller, const ChosenApp& place,
                                        std::string_view end_user, const Call& call) const;
  base::Result<base::Secret> sign(const ChosenApp& place,
                                  const rules::LiveKitRoomToken& wanted) const;
  base::Result<base::Secret> sign(const ChosenApp& place,
                                  const rules::AgoraRoomToken& wanted) const;
  base::Result<base::Done> may_use(const ChosenApp& place, std::string_view room) const;
  base::Result<base::Done> record(const rules::Caller& caller, const ChosenApp& place,
                                  const Call& call, std::string subject, std::string detail) const;

  Parts parts_;
  Options options_;
};

}  // namespace stagedoor::actions
