// Mints a room token for a caller: the way into a room of LiveKit or Agora (rules/room_token.h).
// Nothing is kept but a line in the audit log.
//
// Rule room-secret-stays: what room services sign with is read from private files and never leaves
// the server; an app that may mint room tokens gets tokens, not the secret.
//
// Rule room-grants-for-all-rooms: grants that reach past the token's room, into all of a LiveKit
// project, are refused unless the settings allow them: the project may serve other apps too.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "base/secret.h"
#include "rules/audit.h"
#include "rules/caller.h"
#include "rules/room_token.h"

namespace stagedoor::actions {

// Safe for concurrent use; without waiting.
class MintRoomToken {
 public:
  struct Parts {
    const rules::LiveKitSigner* livekit;  // null: not set up
    const rules::AgoraSigner* agora;
    rules::AuditLog& audit;
    const base::Clock& clock;
    base::Random& random;
  };
  struct Options {
    bool allows_grants_for_all_rooms = false;
    bool accepts_test_keys = true;
  };
  MintRoomToken(Parts parts, Options options) : parts_(parts), options_(options) {}

  // Where the call came from, for the audit log.
  struct Origin {
    std::string_view peer, request_id;
  };
  struct Minted {
    base::Secret token;
    rules::Environment environment;
    base::Instant expires_at;
  };

  // Both fill in what is theirs (id, salt, times, environment) and take the rest from `wanted`.
  // `unsupported` where the service is not set up, `forbidden` for a test key or a grant that the
  // settings refuse, `malformed` with a hint that names the member at fault.
  base::Result<Minted> operator()(const rules::Caller& caller, rules::LiveKitRoomToken wanted,
                                  std::chrono::seconds lifetime, const Origin& origin) const;
  base::Result<Minted> operator()(const rules::Caller& caller, rules::AgoraRoomToken wanted,
                                  const Origin& origin) const;

 private:
  base::Result<base::Secret> sign(const rules::Caller& caller,
                                  const rules::LiveKitRoomToken& wanted) const;
  base::Result<base::Secret> sign(const rules::Caller& caller,
                                  const rules::AgoraRoomToken& wanted) const;
  base::Result<base::Done> may_use(const rules::Caller& caller) const;
  void note(const rules::Caller& caller, const Origin& origin, std::string subject,
            std::string detail, const base::Error* refusal) const;

  Parts parts_;
  Options options_;
};

}  // namespace stagedoor::actions
