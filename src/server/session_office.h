// Session tokens and live sessions: what all doors share of them, and our own API for both.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <span>

#include "actions/admit_connection.h"
#include "actions/end_live_session.h"
#include "actions/revoke_session_tokens.h"
#include "api/live_sessions.h"
#include "api/session_tokens.h"
#include "base/log.h"
#include "front/guard.h"
#include "rules/audit.h"
#include "server/config.h"
#include "server/log_events.h"
#include "server/minute_watch.h"
#include "server/workspace.h"
#include "store/memory_live_sessions.h"

namespace stagedoor::server {

// Safe for concurrent use after `open`.
class SessionOffice {
 public:
  struct Parts {
    Workspace& workspace;
    rules::AuditLog& audit;
    base::Log& log;
    const std::atomic<bool>& is_stopping;
  };
  SessionOffice(Parts parts, const Config& config);

  // Closes in the ledger what a server that died has left open, and reads from it what each app has
  // used this month. Revocations reach the live
  // sessions from here on, until `close`, which comes before the writer's end.
  base::Result<base::Done> open();
  void close();
  void add_to(http::Router& router, const front::Guard& guard) const;

  rules::LiveSessions& sessions() { return sessions_; }
  const actions::AdmitConnection& admit() const { return admit_; }
  // Why a session that has just become known must end at once.
  std::optional<rules::SessionEnd> must_end(const rules::LiveSession& session) const;

 private:
  base::Result<base::Done> load_minutes();
  void end_sessions_of_keys(std::span<const std::uint64_t> api_key_ids);
  std::size_t end_sessions_of(const rules::TokenRevocation& revocation);

  Parts parts_;
  LogEvents events_;
  store::MemoryLiveSessions sessions_;
  store::MeteredLedger ledger_;
  MinuteWatch minute_watch_;
  actions::AdmitConnection admit_;
  actions::RevokeSessionTokens revoke_;
  actions::EndLiveSession end_;
  api::SessionTokens tokens_api_;
  api::LiveSessions sessions_api_;
};

}  // namespace stagedoor::server
