// One live session of the Motion Server: audio in, facial motion out (contract 3.3 to 3.9).
//
//   open ──configure──▶ ready ──audio, end, audio, ...──▶ closed
//     └─anything else─▶ ServerError, closed
//
// The grant's leash is enforced here: idle time, length, and being ended from outside. Each cut is
// told to the client as a ServerError before the close frame.
//
// Rule motion-server-frames-add-up: an utterance gets floor(duration * 25) frames, in order, and
// exactly one message with end=true, its last; after an interrupt that message holds no frames.
//
// Rule motion-server-utterances-are-independent: utterances follow each other, or overlap up to
// four at a time; each has its own sound and motion, and its frames carry its req_id.
//
// Rule motion-server-lets-utterances-end: a server that shuts down takes no new utterance and lets
// those that have begun end, within the grace that its settings give.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "actions/admit_connection.h"
#include "base/clock.h"
#include "base/log.h"
#include "http/websocket.h"
#include "rules/live_session.h"
#include "stage/audio_input.h"

namespace stagedoor::spatius {

// What all sessions count together; read by /metrics.
struct MotionCounts {
  std::atomic<std::uint64_t> sessions_begun = 0, utterances = 0, frames = 0, audio_millis = 0,
                             errors = 0;
};

// Runs sessions. Safe for concurrent use; each session stays on its loop.
class MotionSessions {
 public:
  struct Parts {
    rules::LiveSessions& sessions;
    const base::Clock& clock;
    base::Log& log;
    stage::AudioInputFactory audio_input;
    MotionCounts& counts;
    // Why a session that has just become known must end at once: asked after it was announced, so
    // that a revocation or a shutdown meets it either in the list or here.
    std::function<std::optional<rules::SessionEnd>(const rules::LiveSession&)> must_end;
  };
  struct Options {
    std::chrono::seconds configure_within{10};
    std::size_t message_bytes_max = 8u << 20;
    http::MemoryBudget* message_memory = nullptr;
  };
  MotionSessions(Parts parts, Options options) : parts_(std::move(parts)), options_(options) {}

  http::WebSocketOptions socket_options() const;

  // Begins a session on this loop, which then goes on by itself to its end: what was read to admit
  // it need not be kept.
  void start(std::unique_ptr<http::WebSocket> socket, actions::Grant grant,
             std::string request_id) const;

 private:
  friend class MotionSession;
  Parts parts_;
  Options options_;
};

}  // namespace stagedoor::spatius
