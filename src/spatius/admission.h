// GET /v2/driveningress/websocket: the door itself. A session token in, a live session out.
//
// Contract 3.1: avatar in the query `id`; app and token in X-App-ID and X-Session-Key, or in the
// query `appId` and `sessionKey` (redacted before anything logs the address). Ours: a nonce in
// X-Client-Nonce or the query `clientNonce` lets the same client come back to its session after a
// lost answer (rules/redemption.h). Refusals are plain HTTP answers before the upgrade, in the
// words of contract 3.2.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include "actions/admit_connection.h"
#include "http/router.h"
#include "spatius/motion_session.h"

namespace stagedoor::spatius {

// Safe for concurrent use.
class Admission {
 public:
  struct Parts {
    const actions::AdmitConnection& admit;
    const MotionSessions& sessions;
    base::Log& log;
    // True while the server is going down: then nobody is let in.
    const std::atomic<bool>& is_stopping;
  };
  explicit Admission(Parts parts) : parts_(parts) {}
  http::Task<> operator()(const http::Request& request, http::Upgrade& upgrade) const;

 private:
  Parts parts_;
};

}  // namespace stagedoor::spatius
