// One live face in the words of this dialect: what its signalling socket and its data channel say,
// to the conversation and back (contract 3.4, 3.7).
//
//   admitted ──socket, offer──▶ connecting ──media──▶ live ──▶ over
//      └──────────── nobody comes within 30 s ───────────────▶ over
//
// Rule face-session-reattaches: the newest signalling socket of a session is its socket; an older
// one is closed. A session lives on without a socket while its media flow.
//
// Rule face-warnings-bounded: a client is told of at most ten faults a second, each of them logged;
// of what goes beyond, one line a second says how many they were. So whoever floods a channel with
// rubbish fills neither the log nor its own socket.
//
// Rule face-idle: the leash's idle time ends a session in which nobody speaks or does anything;
// what clients send by themselves, heartbeats and statistics, is no sign of anybody. Where the
// persona says after which silence its sessions end, or that they don't, that holds instead. The
// persona is what was minted: a client may shorten the silence that holds, and a `warning` tells it
// that it can't lengthen or lift it.
//
// A face lives on its face loop: everything but LiveFaces is called there.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <array>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "actions/admit_connection.h"
#include "anam/attendance.h"
#include "anam/persona_play.h"
#include "anam/session_messages.h"
#include "anam/signalling_messages.h"
#include "anam/unsaid.h"
#include "base/log.h"
#include "base/secret.h"
#include "live/face_loops.h"
#include "live/face_session.h"
#include "rules/engine_key.h"
#include "rules/live_session.h"
#include "rules/session_report.h"
#include "stage/conversation_recorder.h"

namespace stagedoor::anam {

// The way to a signalling socket, which lives on another loop. Safe for concurrent use.
class SignallingLink {
 public:
  virtual ~SignallingLink() = default;
  virtual void send(std::string message) = 0;
  // After what was sent.
  virtual void close(std::string reason) = 0;
};

class LiveFaces;

class LiveFace final : public live::FaceSessionListener,
                       public std::enable_shared_from_this<LiveFace> {
 public:
  LiveFace(LiveFaces& faces, live::FacePlace place, actions::Grant grant, PersonaPlay play);
  ~LiveFace() override;

  // The first call: makes the session and makes it known.
  base::Result<base::Done> begin();
  // The same client has come again with its token: the session goes on under the new grant.
  void adopt(actions::Grant grant);
  bool is_over() const { return is_over_; }
  // From any thread.
  const rules::EngineKey& engine_key() const { return engine_key_; }
  // A page of this origin may speak for the session.
  bool admits(const std::optional<std::string>& origin) const {
    return grant_.check_origin(origin).has_value();
  }

  void attach(std::shared_ptr<SignallingLink> link);
  void detach(const SignallingLink& link);
  void take(SignallingMessage message);
  // What was not a message of the dialect.
  void complain(const base::Error& error);
  // Words to be said as they stand.
  void talk(std::string text);
  void end(rules::SessionEnd why);
  // What it holds of its loop, which may end before it does.
  void give_up();

 private:
  void connected() override;
  void channel_open() override;
  void message(std::string_view text) override;
  void message_refused() override;
  void lost(media::LostReason reason) override;
  void speech_text(const stage::SpokenText& text) override;
  void reasoning_text(const stage::SpokenText& text) override;
  void user_speech_started(const std::string& correlation_id) override;
  void user_speech_ended(const std::string& correlation_id) override;
  void tool_call_started(const stage::ToolCallNotice& call) override;
  void tool_call_completed(const stage::ToolCallNotice& call) override;
  void tool_call_failed(const stage::ToolCallNotice& call) override;
  void talk_stream_interrupted(const std::string& correlation_id) override;
  void warning(const std::string& text) override { warn(text); }
  void ended(stage::EndReason reason) override;

  void answer(const Offer& offer);
  void perform(SessionMessage message);
  void change_persona(const PersonaUpdate& update);
  void tell(std::string signalling_message);
  void tell_tool(ToolCallState state, const stage::ToolCallNotice& call);
  void say(std::string session_message);
  void tell_left_out(std::size_t messages);
  void warn(std::string_view words);
  void warn_once(Unsupported what);
  void on_length();
  std::chrono::seconds idle_max() const;
  void look_after();
  void log_misuse();
  // Tells the client, and gives everything up, in a later step of the loop.
  void finish(std::string_view ended_by, std::string_view reason, std::string words);
  // Once: hands over what is to be kept of it.
  void report();
  const std::string& id() const { return grant_.session_id(); }

  LiveFaces& faces_;
  const rules::EngineKey engine_key_;
  live::FacePlace place_;
  actions::Grant grant_;
  PersonaPlay play_;
  rules::Place known_;  // among the live sessions
  std::unique_ptr<live::FaceSession> session_;
  std::shared_ptr<SignallingLink> link_;
  stage::ConversationRecorder recorder_;
  Unsaid unsaid_;                    // for the data channel
  std::vector<std::string> untold_;  // signalling without a socket
  http::TimerWheel::Deadline length_, watch_;
  Attendance attendance_;
  base::Instant active_at_;  // when somebody last said something
  std::chrono::milliseconds warning_left_{0};
  std::array<bool, unsupported_count> told_{};
  int warnings_this_second_ = 0;
  bool is_over_ = false, is_reported_ = false;
};

// All live faces of the server. Safe for concurrent use.
class LiveFaces {
 public:
  struct Parts {
    live::FaceLoops& loops;
    live::FaceSession::Parts session;
    rules::LiveSessions& sessions;
    rules::SessionReports& reports;
    const base::Clock& clock;
    base::Random& random;
    base::Log& log;
    // Why a session that has just become known must end at once.
    std::function<std::optional<rules::SessionEnd>(const rules::LiveSession&)> must_end;
  };
  explicit LiveFaces(Parts parts) : parts_(std::move(parts)) {}

  // A place is taken before a token is spent. `unavailable`.
  base::Result<live::FacePlace> enter() { return parts_.loops.enter(); }
  // Of a client that comes back to a face that has a place.
  live::FacePlace enter_again() { return parts_.loops.enter_again(); }
  // Begins the session, or hands the grant to the face that plays it already. Gives the key of its
  // engine. Waits for a face loop: not from an event loop. `unavailable`.
  base::Result<base::Secret> begin(live::FacePlace place, actions::Grant grant, PersonaPlay play);
  // How a client names its session.
  struct Address {
    std::string session_id;
    base::Secret engine_key;
  };
  // Has `step` run with the face on its loop. False: there is no such face, or this is not its key.
  using Step = std::move_only_function<void(LiveFace&)>;
  bool post(const Address& address, Step step);

  std::size_t count() const;
  // Gives up all that is left, when the face loops have stopped and before they are gone.
  void abandon();

 private:
  friend class LiveFace;
  using Begun = std::move_only_function<void(base::Result<base::Secret>)>;
  struct Beginning {
    live::FacePlace place;
    actions::Grant grant;
    PersonaPlay play;
    Begun begun;
  };
  // Taken before the face is made, so that of all who come for one session one makes it, and the
  // others wait for it on its loop. Whoever posts to that loop keeps no pointer to it: a face ends
  // on its own loop and nowhere else.
  struct Slot {
    const std::shared_ptr<http::Mailbox> mailbox;
    std::shared_ptr<LiveFace> face;  // set once, under mutex_, when it has begun
  };
  void begin(Beginning one);
  // On the loop of the slot.
  void make(const std::shared_ptr<Slot>& slot, Beginning one);
  void join(const std::shared_ptr<Slot>& slot, Beginning one);
  // Null: there is none, or it has not begun.
  std::shared_ptr<Slot> find(std::string_view session_id) const;
  void remove(const std::string& session_id, const Slot& slot);
  void remove(const std::string& session_id, const LiveFace* face);

  Parts parts_;
  mutable std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Slot>, std::less<>> faces_;  // under mutex_
};

}  // namespace stagedoor::anam
