// GET /v1/webrtc/engines/KEY/ws: the signalling socket of a live face (contract 3.4), and
// POST .../talk, words to be spoken (contract 3.8). The vendor's clients show no other credential
// there than the path that they were told, so the key of the session's engine stands in it (rule
// face-engine-key); it is nothing once the session is over. Whoever shows a path that leads to no
// session is counted and noted as one who guesses a credential.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include "actions/admit_call.h"
#include "anam/live_face.h"
#include "base/log.h"
#include "http/memory_budget.h"
#include "http/router.h"

namespace stagedoor::anam {

// Before the key.
inline constexpr std::string_view engine_path = "/v1/webrtc/engines/";

// Safe for concurrent use.
class Signalling {
 public:
  struct Parts {
    LiveFaces& faces;
    const actions::AdmitCall& admit_call;
    base::Log& log;
    http::MemoryBudget* message_memory = nullptr;  // for long messages of all sockets
  };
  explicit Signalling(Parts parts) : parts_(parts) {}
  void add_to(http::Router& router) const;

 private:
  http::Task<> open(const http::Request& request, http::Upgrade& upgrade) const;
  http::Task<> talk(const http::Request& request, http::Response& response) const;
  void refuse_guess(const http::Request& request, http::Response& response,
                    std::string_view action) const;

  Parts parts_;
};

}  // namespace stagedoor::anam
