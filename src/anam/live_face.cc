#include "anam/live_face.h"

#include <utility>

#include "http/answer_within.h"
#include "rules/knowledge.h"

namespace stagedoor::anam {
namespace {

using namespace std::chrono_literals;
using rules::SessionEnd;

// What waits for a channel that is not there yet.
constexpr std::size_t waiting_messages_max = 64;
constexpr auto begin_patience = 5s;
constexpr int warnings_per_second_max = 10;

std::string farewell(SessionEnd why) {
  switch (why) {
    case SessionEnd::length_reached:
      return "The session has reached its maximum length.";
    case SessionEnd::idle:
      return "Nothing was said for too long.";
    case SessionEnd::revoked:
      return "The session's credential was revoked.";
    case SessionEnd::shutting_down:
      return "The server is shutting down.";
    case SessionEnd::ended:
      return "The session was ended by its app.";
    case SessionEnd::minutes_used_up:
      return "The app's minutes of this month are used up.";
    case SessionEnd::replaced:
      return "The session goes on elsewhere.";
  }
  std::unreachable();
}

// The word for lists and logs, and the words for the client.
std::pair<std::string_view, std::string> farewell(stage::EndReason why) {
  switch (why) {
    case stage::EndReason::length_reached:
      return {"length_reached", farewell(SessionEnd::length_reached)};
    case stage::EndReason::silence:
      return {"silence", "The session ended after a long silence."};
    case stage::EndReason::persona_ended:
      return {"persona_ended", "The persona has ended the session."};
    case stage::EndReason::stopped:
      return {"ended", farewell(SessionEnd::ended)};
  }
  std::unreachable();
}

std::vector<std::string> documents_of(const stage::ToolCallNotice& call) {
  if (call.kind != rules::ToolKind::knowledge) return {};
  return rules::documents_in(call.result);
}

template <class... Case>
struct Cases : Case... {
  using Case::operator()...;
};

}  // namespace

LiveFace::LiveFace(LiveFaces& faces, live::FacePlace place, actions::Grant grant, PersonaPlay play)
    : faces_(faces),
      engine_key_(faces.parts_.random),
      place_(std::move(place)),
      grant_(std::move(grant)),
      play_(std::move(play)),
      recorder_(play_.facts.keeps_transcript ? rules::Transcripts::kept
                                             : rules::Transcripts::left_out),
      unsaid_(waiting_messages_max,
              [this](std::string_view message) { return session_->send(message); }),
      length_(http::this_loop().wheel(), [this] { on_length(); }),
      watch_(http::this_loop().wheel(), [this] { look_after(); }),
      active_at_(faces.parts_.clock.now()) {}

LiveFace::~LiveFace() = default;

base::Result<base::Done> LiveFace::begin() {
  const auto& parts = faces_.parts_;
  const auto& facts = grant_.live_session();
  auto session_parts = parts.session;
  if (play_.chat) session_parts.chat = play_.chat.get();
  auto session = live::FaceSession::make(session_parts,
                                         {.conversation = std::move(play_.conversation),
                                          .character = play_.character,
                                          .size = play_.size},
                                         place_.loop(), *this);
  if (!session) return base::fail(session.error());
  session_ = *std::move(session);
  known_ = parts.sessions.announce(
      facts, [weak = weak_from_this(), mailbox = place_.loop().mailbox()](SessionEnd why) {
        mailbox->post([weak, why] {
          if (const auto face = weak.lock()) face->end(why);
        });
      });
  parts.reports.begin(facts.id, std::move(play_.facts), facts.began_at);
  if (const auto why = parts.must_end(facts)) end(*why);
  const auto left = std::max(facts.ends_at - parts.clock.now(), base::Instant::duration(0));
  warning_left_ = std::min<std::chrono::milliseconds>(
      grant_.leash().warning_before, std::chrono::duration_cast<std::chrono::milliseconds>(left));
  length_.expire_after(std::chrono::duration_cast<std::chrono::milliseconds>(left) - warning_left_);
  watch_.expire_after(1s);
  parts.log.write(base::LogLevel::info, "session.begun",
                  {{"session_id", facts.id},
                   {"app_id", facts.app_id},
                   {"api_key_id", facts.api_key_id},
                   {"token_id", facts.token_id},
                   {"avatar_id", facts.avatar_id},
                   {"environment", rules::name_of(facts.environment)}});
  return base::Done{};
}

void LiveFace::adopt(actions::Grant grant) {
  // The ledger counts connections: the older one's end is not the session's. Of two that come at
  // the same moment the older one may be the last to arrive.
  if (grant.is_later_than(grant_)) grant_ = std::move(grant);
  attendance_.expect();
}

// The signalling socket.

void LiveFace::attach(std::shared_ptr<SignallingLink> link) {
  if (is_over_) {
    link->send(end_session_message(id(), farewell(SessionEnd::ended)));
    return link->close("the session is over");
  }
  if (auto older = std::exchange(link_, std::move(link))) older->close("a newer socket is here");
  attendance_.attached();
  for (auto& message : std::exchange(untold_, {})) link_->send(std::move(message));
}

void LiveFace::detach(const SignallingLink& link) {
  if (link_.get() == &link) link_.reset();
}

void LiveFace::take(SignallingMessage message) {
  if (is_over_) return;
  attendance_.heard();
  auto& conversation = session_->conversation();
  std::visit(Cases{
                 [this](const Offer& offer) { answer(offer); },
                 [](const Candidate&) {},
                 [this](const Heartbeat&) { tell(heartbeat_message(id())); },
                 [&](TalkChunk& chunk) {
                   active_at_ = faces_.parts_.clock.now();
                   conversation.talk_stream({.content = std::move(chunk.content),
                                             .is_start = chunk.starts,
                                             .is_end = chunk.ends,
                                             .correlation_id = std::move(chunk.correlation_id),
                                             .utterance_id = std::move(chunk.utterance_id)});
                 },
                 [&](const AgentSound& sound) {
                   active_at_ = faces_.parts_.clock.now();
                   conversation.play_sound(sound.samples, sound.rate_hz);
                 },
                 [&](const AgentSoundEnd&) { conversation.end_sound(); },
                 [](const UnknownAction&) {},
             },
             message);
}

void LiveFace::answer(const Offer& offer) {
  const auto sdp = session_->answer(offer.sdp);
  if (sdp) {
    attendance_.offered();
    return tell(answer_message(id(), *sdp));
  }
  complain({sdp.error().code, "offer: " + sdp.error().detail,
            sdp.error().hint.empty() ? "The offer can't be played." : sdp.error().hint});
}

void LiveFace::talk(std::string text) {
  if (is_over_) return;
  active_at_ = faces_.parts_.clock.now();
  session_->conversation().talk(std::move(text), {});
}

// The data channel.

void LiveFace::channel_open() {
  tell_left_out(unsaid_.go_on());
}

void LiveFace::message_refused() {
  complain({base::ErrorCode::malformed, "a message over the data channel is too long",
            "A message over the data channel has at most 65536 bytes."});
}

void LiveFace::message(std::string_view text) {
  if (is_over_) return;
  auto read = read_session_message(text);
  if (!read) return complain(read.error());
  // Its statistics come by themselves, and are no sign of anybody.
  if (!std::holds_alternative<NothingToDo>(*read)) active_at_ = faces_.parts_.clock.now();
  perform(*std::move(read));
}

void LiveFace::perform(SessionMessage message) {
  auto& conversation = session_->conversation();
  std::visit(Cases{
                 [&](UserSpeech& speech) { conversation.user_text(std::move(speech.content)); },
                 [&](const Interrupt&) { conversation.interrupt(); },
                 [&](ContextNote& note) { conversation.add_context(std::move(note.content)); },
                 [&](const DirectorCue&) { warn_once(Unsupported::director_cues); },
                 [&](const PersonaUpdate& update) { change_persona(update); },
                 [&](ToolResult& result) {
                   if (result.failed) {
                     conversation.tool_result(
                         result.tool_call_id,
                         base::fail(base::ErrorCode::unavailable, std::move(result.result)));
                   } else {
                     conversation.tool_result(result.tool_call_id, std::move(result.result));
                   }
                 },
                 [](const NothingToDo&) {},
             },
             message);
}

void LiveFace::change_persona(const PersonaUpdate& update) {
  auto change = change_of(update.change);
  auto& conversation = session_->conversation();
  const auto named = conversation.settings().voice_detection.silence_before_session_end;
  if (keep_silence(named > 0s ? named : idle_max(), change.conversation.voice_detection))
    change.unsupported.push_back(Unsupported::longer_silence);
  const auto before = conversation.settings();
  conversation.update(change.conversation);
  for (const auto what : change.unsupported) warn_once(what);
  if (const auto changed = changed_fields(before, conversation.settings()); !changed.empty())
    say(persona_changed_message(id(), changed));
}

void LiveFace::say(std::string session_message) {
  if (session_ && !is_over_) tell_left_out(unsaid_.say(std::move(session_message)));
}

void LiveFace::tell_left_out(std::size_t messages) {
  if (messages > 0) warn("Something that was for you did not fit into the data channel.");
}

void LiveFace::tell(std::string signalling_message) {
  if (link_) return link_->send(std::move(signalling_message));
  if (untold_.size() < waiting_messages_max) untold_.push_back(std::move(signalling_message));
}

void LiveFace::warn(std::string_view words) {
  if (words.empty() || ++warnings_this_second_ > warnings_per_second_max) return;
  tell(warning_message(id(), words));
}

void LiveFace::warn_once(Unsupported what) {
  if (!std::exchange(told_[static_cast<std::size_t>(what)], true)) warn(words_of(what));
}

void LiveFace::complain(const base::Error& error) {
  warn(error.hint.empty() ? "The message can't be read." : error.hint);
  if (warnings_this_second_ <= warnings_per_second_max)
    faces_.parts_.log.write(base::LogLevel::info, "live_face.message_refused",
                            {{"session_id", id()}, {"detail", error.detail}});
}

// What media and the conversation tell.

void LiveFace::connected() {
  attendance_.connected();
  tell(session_ready_message(id()));
  for (const auto what : play_.unsupported) warn_once(what);
}

void LiveFace::lost(media::LostReason reason) {
  finish("client", media::word_of(reason), "The connection was lost.");
}

void LiveFace::speech_text(const stage::SpokenText& text) {
  active_at_ = faces_.parts_.clock.now();
  recorder_.speech_text(text, active_at_);
  say(speech_text_message({.message_id = text.message_id,
                           .content = text.content,
                           .role = text.role == stage::Speaker::user ? "user" : "persona",
                           .utterance_id = text.utterance_id,
                           .correlation_id = text.correlation_id,
                           .content_index = text.content_index,
                           .ends = text.is_end_of_speech,
                           .interrupted = text.is_interrupted},
                          active_at_));
  if (const auto why = grant_.forced_end()) end(*why);
}

void LiveFace::reasoning_text(const stage::SpokenText& text) {
  say(reasoning_text_message(text.message_id, text.content_index, text.content,
                             text.is_end_of_speech));
}

void LiveFace::user_speech_started(const std::string& correlation_id) {
  active_at_ = faces_.parts_.clock.now();
  recorder_.user_speech_started(correlation_id, active_at_);
  say(user_speech_message(UserSpeechState::started, correlation_id));
}

void LiveFace::user_speech_ended(const std::string& correlation_id) {
  recorder_.user_speech_ended(correlation_id, faces_.parts_.clock.now());
  say(user_speech_message(UserSpeechState::ended, correlation_id));
}

void LiveFace::tell_tool(ToolCallState state, const stage::ToolCallNotice& call) {
  say(tool_call_message(state,
                        {.event_id = base::random_uuid(faces_.parts_.random),
                         .session_id = id(),
                         .tool_call_id = call.call_id,
                         .name = call.name,
                         .type = rules::type_of(call.kind),
                         .subtype = std::string(rules::subtype_of(call.kind)),
                         .correlation_id = call.correlation_id,
                         .arguments = call.arguments,
                         .result = call.result,
                         .error = call.error,
                         .documents = documents_of(call)},
                        faces_.parts_.clock.now()));
}

void LiveFace::tool_call_started(const stage::ToolCallNotice& call) {
  recorder_.tool_call_started(call, faces_.parts_.clock.now());
  tell_tool(ToolCallState::started, call);
}

void LiveFace::tool_call_completed(const stage::ToolCallNotice& call) {
  recorder_.tool_call_completed(call, faces_.parts_.clock.now());
  tell_tool(ToolCallState::completed, call);
}

void LiveFace::tool_call_failed(const stage::ToolCallNotice& call) {
  recorder_.tool_call_failed(call, faces_.parts_.clock.now());
  tell_tool(ToolCallState::failed, call);
}

void LiveFace::talk_stream_interrupted(const std::string& correlation_id) {
  tell(talk_interrupted_message(id(), correlation_id));
}

// Ends.

void LiveFace::ended(stage::EndReason reason) {
  auto [word, words] = farewell(reason);
  finish("server", word, std::move(words));
}

void LiveFace::end(SessionEnd why) {
  finish("server", rules::name_of(why), farewell(why));
}

void LiveFace::on_length() {
  const auto left = std::exchange(warning_left_, 0ms);
  if (left <= 0ms) return end(SessionEnd::length_reached);
  warn("The session ends in " +
       std::to_string(std::chrono::duration_cast<std::chrono::seconds>(left).count()) +
       " seconds.");
  length_.expire_after(left);
}

// How long nobody may do anything; 0: for ever.
std::chrono::seconds LiveFace::idle_max() const {
  return play_.has_silence_rule ? 0s : grant_.leash().idle_max;
}

// Each second.
void LiveFace::look_after() {
  if (is_over_) return;
  tell_left_out(unsaid_.go_on());
  log_misuse();
  const auto verdict = attendance_.after_a_second({.has_socket = link_ != nullptr,
                                                   .is_connected = session_->is_connected(),
                                                   .media_silence = session_->silence()});
  if (verdict == Attendance::Verdict::abandoned)
    return finish("client", "abandoned", "Nobody is there.");
  if (verdict == Attendance::Verdict::never_connected)
    return finish("client", "never_connected", "The media did not come.");
  if (idle_max() > 0s && faces_.parts_.clock.now() - active_at_ > idle_max())
    return end(SessionEnd::idle);
  watch_.expire_after(1s);
}

void LiveFace::log_misuse() {
  auto& log = faces_.parts_.log;
  if (const auto more = std::exchange(warnings_this_second_, 0) - warnings_per_second_max; more > 0)
    log.write(base::LogLevel::warning, "live_face.flooded",
              {{"session_id", id()}, {"faults_left_out", more}});
  if (const auto dropped = session_->take_dropped(); dropped > 0)
    log.write(base::LogLevel::info, "live_face.packets_dropped",
              {{"session_id", id()}, {"packets", static_cast<std::int64_t>(dropped)}});
}

void LiveFace::finish(std::string_view ended_by, std::string_view reason, std::string words) {
  if (std::exchange(is_over_, true)) return;
  length_.clear();
  watch_.clear();
  if (link_) {
    link_->send(end_session_message(id(), words));
    link_->close(std::move(words));
  }
  // Before the ledger's end: whoever sees that it is over finds its report.
  report();
  grant_.close(reason);
  const auto lasted = faces_.parts_.clock.now() - grant_.began_at();
  faces_.parts_.log.write(base::LogLevel::info, "session.ended",
                          {{"session_id", id()},
                           {"app_id", grant_.app_id()},
                           {"environment", rules::name_of(grant_.environment())},
                           {"ended_by", ended_by},
                           {"reason", reason},
                           {"lasted_millis", lasted.count()}});
  // Later, since it may be the session that is calling.
  place_.loop().mailbox()->post([self = shared_from_this()] {
    self->give_up();
    self->faces_.remove(self->id(), self.get());
  });
}

void LiveFace::report() {
  if (std::exchange(is_reported_, true)) return;
  const auto now = faces_.parts_.clock.now();
  faces_.parts_.reports.end(id(), recorder_.take(now), now);
}

void LiveFace::give_up() {
  // Of a server that stops, where nobody has ended it before.
  report();
  session_.reset();
  known_ = rules::Place();
}

// All of them.

base::Result<base::Secret> LiveFaces::begin(live::FacePlace place, actions::Grant grant,
                                            PersonaPlay play) {
  return http::answer_within<base::Result<base::Secret>>(begin_patience, [&](Begun begun) {
    begin({std::move(place), std::move(grant), std::move(play), std::move(begun)});
  });
}

// Posted under the lock, so that whoever makes the face comes to its loop before those who join.
void LiveFaces::begin(Beginning one) {
  const std::lock_guard lock(mutex_);
  auto& taken = faces_[one.grant.session_id()];
  const bool is_first = taken == nullptr;
  if (is_first) taken = std::make_shared<Slot>(one.place.loop().mailbox(), nullptr);
  auto slot = taken;
  const auto mailbox = slot->mailbox;
  mailbox->post([this, slot = std::move(slot), is_first, one = std::move(one)]() mutable {
    is_first ? make(slot, std::move(one)) : join(slot, std::move(one));
  });
}

void LiveFaces::make(const std::shared_ptr<Slot>& slot, Beginning one) {
  const auto id = one.grant.session_id();
  auto face = std::make_shared<LiveFace>(*this, std::move(one.place), std::move(one.grant),
                                         std::move(one.play));
  if (const auto done = face->begin(); !done) {
    remove(id, *slot);
    return one.begun(base::fail(done.error()));
  }
  auto key = base::Secret(face->engine_key().expose());
  {
    const std::lock_guard lock(mutex_);
    slot->face = std::move(face);
  }
  one.begun(std::move(key));
}

// After whoever came first, since a mailbox keeps the order.
void LiveFaces::join(const std::shared_ptr<Slot>& slot, Beginning one) {
  const auto face = slot->face;
  if (face == nullptr || face->is_over()) {
    remove(one.grant.session_id(), *slot);
    return begin(std::move(one));
  }
  face->adopt(std::move(one.grant));
  one.begun(base::Secret(face->engine_key().expose()));
}

void LiveFaces::abandon() {
  const std::lock_guard lock(mutex_);
  for (const auto& [id, slot] : faces_)
    if (slot->face) slot->face->give_up();
  faces_.clear();
}

bool LiveFaces::post(const Address& address, Step step) {
  auto slot = find(address.session_id);
  if (!slot) return false;
  const auto mailbox = slot->mailbox;
  // On the loop also where the key is another's: there the last pointer may go.
  const bool is_its = slot->face->engine_key().is(address.engine_key);
  const bool was_posted =
      mailbox->post([slot = std::move(slot), is_its, step = std::move(step)]() mutable {
        if (is_its) step(*slot->face);
      });
  return is_its && was_posted;
}

std::size_t LiveFaces::count() const {
  const std::lock_guard lock(mutex_);
  return faces_.size();
}

std::shared_ptr<LiveFaces::Slot> LiveFaces::find(std::string_view session_id) const {
  const std::lock_guard lock(mutex_);
  const auto found = faces_.find(session_id);
  return found == faces_.end() || !found->second->face ? nullptr : found->second;
}

void LiveFaces::remove(const std::string& session_id, const Slot& slot) {
  const std::lock_guard lock(mutex_);
  const auto found = faces_.find(session_id);
  if (found != faces_.end() && found->second.get() == &slot) faces_.erase(found);
}

void LiveFaces::remove(const std::string& session_id, const LiveFace* face) {
  const std::lock_guard lock(mutex_);
  const auto found = faces_.find(session_id);
  if (found != faces_.end() && found->second->face.get() == face) faces_.erase(found);
}

}  // namespace stagedoor::anam
