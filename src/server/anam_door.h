// The Anam door, built: its classes and the actions that only it needs.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include "actions/end_live_session.h"
#include "actions/keep_persona.h"
#include "actions/remove_session.h"
#include "anam/personas.h"
#include "anam/session_analytics.h"
#include "anam/session_tokens.h"
#include "anam/sessions.h"
#include "base/log.h"
#include "http/router.h"
#include "server/reception.h"
#include "server/workspace.h"

namespace stagedoor::server {

// Safe for concurrent use. Outlives the router.
class AnamDoor {
 public:
  AnamDoor(Workspace& workspace, const Reception& reception, rules::LiveSessions& live,
           base::Log& log)
      : reception_(reception),
        keep_({.catalog = *workspace.catalog,
               .personas = *workspace.personas,
               .clock = workspace.clock,
               .random = workspace.random}),
        session_tokens_({.mint = *workspace.mint_persona, .log = log}),
        personas_({.keep = keep_, .personas = *workspace.personas, .catalog = *workspace.catalog}),
        end_({.sessions = live, .ledger = *workspace.ledger, .clock = workspace.clock}),
        remove_({.records = *workspace.session_records,
                 .reports = *workspace.session_reports,
                 .clock = workspace.clock}),
        sessions_({.records = *workspace.session_records,
                   .reports = *workspace.session_reports,
                   .live = live,
                   .catalog = *workspace.catalog,
                   .end = end_,
                   .remove = remove_}),
        analytics_({.records = *workspace.session_records,
                    .reports = *workspace.session_reports,
                    .clock = workspace.clock}) {}

  void add_to(http::Router& router) const {
    session_tokens_.add_to(router, reception_.anam());
    personas_.add_to(router, reception_.anam());
    sessions_.add_to(router, reception_.anam());
    analytics_.add_to(router, reception_.anam());
  }

 private:
  const Reception& reception_;
  actions::KeepPersona keep_;
  anam::SessionTokens session_tokens_;
  anam::Personas personas_;
  actions::EndLiveSession end_;
  actions::RemoveSession remove_;
  anam::Sessions sessions_;
  anam::SessionAnalytics analytics_;
};

}  // namespace stagedoor::server
