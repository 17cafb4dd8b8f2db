#include "spatius/motion_session.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <list>
#include <memory>
#include <vector>

#include "base/text.h"
#include "http/await.h"
#include "http/loop.h"
#include "spatius/session_configuration.h"
#include "spatius/utterance.h"

namespace stagedoor::spatius {

using base::ErrorCode;
using rules::SessionEnd;

namespace {

constexpr std::size_t first_message_bytes_max = 64u << 10;
constexpr std::size_t utterances_open_max = 4;
constexpr std::size_t req_id_bytes_max = 128;
constexpr std::size_t ignored_req_ids_max = 8;
constexpr std::size_t inbox_bytes_max = 1u << 20;  // and one message beyond it
constexpr std::size_t inbox_messages_max = 256;
constexpr std::uint64_t utterance_millis_max = 3600u * 1000;

// gRPC's numbers where there is one (contract 3.8); the clients also read the words.
enum ServerErrorCode {
  invalid_argument = 3,
  deadline_exceeded = 4,
  credits_exhausted = 4001,
  session_time_limit = 4002
};
enum CloseCode {
  normal = 1000,
  going_away = 1001,
  protocol_error = 1002,
  unsupported_data = 1003,
  policy_violation = 1008,
  internal_error = 1011
};

std::string confirm_message(const std::string& connection_id) {
  message::Message out;
  out.set_type(message::MESSAGE_SERVER_CONFIRM_SESSION);
  out.mutable_server_confirm_session()->set_connection_id(connection_id);
  return out.SerializeAsString();
}

std::string error_message(const std::string& connection_id, const std::string& req_id,
                          std::int32_t code, const std::string& text) {
  message::Message out;
  out.set_type(message::MESSAGE_SERVER_ERROR);
  auto& error = *out.mutable_server_error();
  error.set_connection_id(connection_id);
  error.set_req_id(req_id);
  error.set_code(code);
  error.set_message(text);
  return out.SerializeAsString();
}

// How the client hears why we end its session.
struct Farewell {
  std::int32_t code;
  std::string text;
  std::uint16_t close_code;
};

Farewell farewell(SessionEnd why, const rules::Leash& leash) {
  switch (why) {
    case SessionEnd::length_reached:
      return {session_time_limit,
              fmt::format("session time limit reached: the maximum session duration is {} s",
                          leash.length_max.count()),
              4002};
    case SessionEnd::idle:
      return {deadline_exceeded, fmt::format("no audio input for {} s", leash.idle_max.count()),
              normal};
    case SessionEnd::revoked:
      return {read_the_words, "invalid session token: its credential was revoked", 4010};
    case SessionEnd::shutting_down:
      return {read_the_words, "the server is shutting down", going_away};
    case SessionEnd::ended:
      return {read_the_words, "the session was ended by its app", normal};
    case SessionEnd::minutes_used_up:
      return {credits_exhausted, "credits exhausted: the app's minutes of this month are used up",
              4001};
    case SessionEnd::replaced:
      return {read_the_words, "the session goes on in another connection of this client", normal};
  }
  std::unreachable();
}

}  // namespace

// The life of one session on its loop: one coroutine reads, so that pings are answered and an
// interrupt is seen while the other performs what was read before.
class MotionSession : public std::enable_shared_from_this<MotionSession> {
 public:
  MotionSession(const MotionSessions& door, std::unique_ptr<http::WebSocket> socket,
                actions::Grant grant, std::string request_id)
      : door_(door),
        socket_(std::move(socket)),
        grant_(std::move(grant)),
        request_id_(std::move(request_id)),
        form_{.connection_id = grant_.session_id()},
        length_(http::this_loop().wheel(), [this] { on_length(); }),
        idle_(http::this_loop().wheel(), [this] { on_idle(); }) {}

  // Makes the session known and says so in the log.
  void begin();
  http::Task<> serve();
  // The last call, after `serve`.
  void leave(const std::exception_ptr& failure);
  void end(SessionEnd why);

 private:
  http::Task<bool> configure();
  http::Task<> perform_all();
  void start_performing();
  bool take(http::WebSocket::Message raw);
  void note_sound(const message::ClientAudioInput& input);
  void stop_at_once(const std::string& req_id);
  void wake();
  void on_idle();
  void on_length();
  http::Task<bool> handle(const message::Message& in);
  http::Task<bool> hear(const message::ClientAudioInput& input);
  http::Task<bool> hear_pieces(Utterance& utterance, std::string_view audio, bool is_end);
  http::Task<bool> perform(Utterance& utterance);
  http::Task<bool> give_up(Utterance& utterance, std::string text);
  http::Task<bool> interrupt(const std::string& req_id);
  http::Task<bool> complain(const std::string& req_id, std::int32_t code, std::string text);
  http::Task<bool> send(std::string bytes);
  void refuse_and_close(std::int32_t code, const std::string& text, std::uint16_t close_code);
  void cut(SessionEnd why);
  void finish(const Utterance& utterance);
  void ignore(const std::string& req_id);
  bool is_ignored(const message::ClientAudioInput& input);
  Utterance* find(std::string_view req_id);

  const MotionSessions& door_;
  const std::unique_ptr<http::WebSocket> socket_;
  actions::Grant grant_;
  const std::string request_id_;
  rules::Place known_;  // among the live sessions
  FrameForm form_;
  SessionConfiguration configuration_;
  http::TimerWheel::Deadline length_, idle_;
  std::vector<std::unique_ptr<Utterance>> open_;
  // Interrupted or failed utterances whose client may still be sending.
  std::vector<std::string> ignored_;
  std::list<message::Message> inbox_;  // read, not yet performed
  std::size_t inbox_bytes_ = 0;
  http::Signal changed_;  // less in the inbox, or fewer performers
  // The coroutine that performs lives only while there is something to perform: an idle session
  // pays for one that reads. An earlier one may be on its way out when the next begins.
  bool is_performing_ = false;
  int performers_ = 0;
  std::exception_ptr failure_;
  bool is_closing_ = false, is_stopping_ = false, has_left_ = false;
  std::chrono::milliseconds warning_left_{0};  // from the warning to the end; 0: it was given
  std::optional<SessionEnd> forced_end_;       // by a test value, after the first sound
  std::string_view ended_by_ = "client", reason_ = "client";
};

http::Task<> MotionSession::serve() {
  const auto left = std::max(grant_.live_session().ends_at - door_.parts_.clock.now(),
                             std::chrono::milliseconds(0));
  warning_left_ = std::min<std::chrono::milliseconds>(grant_.leash().warning_before, left);
  length_.expire_after(left - warning_left_);
  if (!co_await configure()) co_return;
  socket_->message_bytes_max(door_.options_.message_bytes_max);
  for (;;) {
    while (inbox_bytes_ > inbox_bytes_max || inbox_.size() >= inbox_messages_max)
      co_await changed_.wait();
    const auto raw = co_await socket_->read();
    if (!raw || !take(*raw)) break;
  }
  is_closing_ = true;
  while (performers_ > 0) co_await changed_.wait();
  if (failure_) std::rethrow_exception(failure_);
}

// Into the inbox. False: the session is closing.
bool MotionSession::take(http::WebSocket::Message raw) {
  if (!raw.is_binary) {
    refuse_and_close(read_the_words, "unexpected message type: text frame", unsupported_data);
    return false;
  }
  message::Message in;
  if (!in.ParseFromArray(raw.bytes.data(), static_cast<int>(raw.bytes.size()))) {
    refuse_and_close(read_the_words, "failed to unmarshal message", protocol_error);
    return false;
  }
  if (in.has_client_audio_input()) note_sound(in.client_audio_input());
  if (in.has_client_interrupt()) stop_at_once(in.client_interrupt().req_id());
  inbox_bytes_ += in.ByteSizeLong();
  const bool has_sound = in.has_client_audio_input() && !in.client_audio_input().audio().empty();
  inbox_.push_back(std::move(in));
  start_performing();
  if (has_sound && forced_end_) end(*std::exchange(forced_end_, std::nullopt));
  return true;
}

// What keeps a session from being idle: sound that is listened to.
void MotionSession::note_sound(const message::ClientAudioInput& input) {
  if (!input.audio().empty() && std::ranges::find(ignored_, input.req_id()) == ignored_.end())
    idle_.expire_after(grant_.leash().idle_max);
}

// An interrupt waits its turn like any message, but what it stops must not go on until then.
void MotionSession::stop_at_once(const std::string& req_id) {
  if (auto* utterance = find(req_id)) utterance->stop();
  for (auto& waiting : inbox_) {
    if (!waiting.has_client_audio_input()) continue;
    auto& input = *waiting.mutable_client_audio_input();
    if (input.req_id() == req_id) input.clear_audio();
  }
}

void MotionSession::start_performing() {
  if (std::exchange(is_performing_, true)) return;
  ++performers_;
  // `this` outlives it: serve returns only after the last performer has ended.
  boost::asio::co_spawn(http::this_loop().executor(), perform_all(),
                        [this](std::exception_ptr failure) {
                          if (failure) {
                            failure_ = std::move(failure);
                            // Whoever waits for room in it must see that the session ends.
                            inbox_.clear();
                            inbox_bytes_ = 0;
                            socket_->close(internal_error, "the server made a mistake");
                          }
                          --performers_;
                          wake();
                        });
}

http::Task<> MotionSession::perform_all() {
  while (!inbox_.empty()) {
    const auto in = std::move(inbox_.front());
    inbox_.pop_front();
    inbox_bytes_ -= in.ByteSizeLong();
    wake();
    // A client that has gone, or does not take what we send, hears nothing more.
    if (is_closing_ || !co_await handle(in)) {
      inbox_.clear();
      inbox_bytes_ = 0;
    }
  }
  is_performing_ = false;
  if (is_stopping_ && open_.empty()) cut(SessionEnd::shutting_down);
}

void MotionSession::wake() {
  changed_.notify_all(http::this_loop().executor());
}

// While there is sound to perform, the client is waiting for us and not the other way round.
void MotionSession::on_idle() {
  if (is_performing_) return idle_.expire_after(grant_.leash().idle_max);
  cut(SessionEnd::idle);
}

// The dialect has no message for a warning: its clients take a ServerError for a failure, and any
// other message for a broken protocol. So the warning goes to the log.
void MotionSession::on_length() {
  const auto left = std::exchange(warning_left_, {});
  if (left.count() == 0) return cut(SessionEnd::length_reached);
  length_.expire_after(left);
  door_.parts_.log.write(base::LogLevel::info, "session.ending_soon",
                         {{"session_id", form_.connection_id},
                          {"app_id", grant_.app_id()},
                          {"seconds", left.count() / 1000}});
}

http::Task<bool> MotionSession::configure() {
  socket_->message_bytes_max(first_message_bytes_max);
  idle_.expire_after(door_.options_.configure_within);
  const auto raw = co_await socket_->read();
  if (!raw) co_return false;
  message::Message first;
  if (!raw->is_binary) {
    refuse_and_close(read_the_words,
                     "expected ClientConfigureSession message in a binary frame, got a text frame",
                     unsupported_data);
    co_return false;
  }
  if (!first.ParseFromArray(raw->bytes.data(), static_cast<int>(raw->bytes.size()))) {
    refuse_and_close(read_the_words, "failed to unmarshal initial message", protocol_error);
    co_return false;
  }
  auto configuration = read_configuration(first);
  if (!configuration) {
    const auto& refusal = configuration.error();
    refuse_and_close(refusal.code, refusal.text, policy_violation);
    co_return false;
  }
  configuration_ = *configuration;
  form_.with_named_shapes = configuration_.wants_named_shapes;
  idle_.expire_after(grant_.leash().idle_max);
  co_return co_await send(confirm_message(form_.connection_id));
}

http::Task<bool> MotionSession::handle(const message::Message& in) {
  switch (in.data_case()) {
    case message::Message::kClientAudioInput:
      co_return co_await hear(in.client_audio_input());
    case message::Message::kClientInterrupt:
      co_return co_await interrupt(in.client_interrupt().req_id());
    default:
      // What a newer client may send does no harm; it is told, and the session goes on.
      co_return co_await complain({}, read_the_words, "unexpected message type");
  }
}

http::Task<bool> MotionSession::hear(const message::ClientAudioInput& input) {
  const auto& req_id = input.req_id();
  if (req_id.empty() || req_id.size() > req_id_bytes_max)
    co_return co_await complain({}, invalid_argument, "req_id must have 1 to 128 bytes");
  if (is_ignored(input)) co_return true;

  auto* utterance = find(req_id);
  if (utterance == nullptr) {
    if (is_stopping_)
      co_return co_await complain(req_id, read_the_words, "the server is shutting down");
    if (open_.size() == utterances_open_max)
      co_return co_await complain(req_id, invalid_argument,
                                  "too many open requests: set end on the last audio of each");
    auto decoder = door_.parts_.audio_input(configuration_.format, configuration_.rate_hz);
    if (!decoder) co_return co_await complain(req_id, invalid_argument, decoder.error().hint);
    utterance = open_
                    .emplace_back(std::make_unique<Utterance>(req_id, *std::move(decoder),
                                                              configuration_.rate_hz,
                                                              configuration_.seed_for(req_id)))
                    .get();
    ++door_.parts_.counts.utterances;
  }
  co_return co_await hear_pieces(*utterance, input.audio(), input.end());
}

http::Task<bool> MotionSession::hear_pieces(Utterance& utterance, std::string_view audio,
                                            bool is_end) {
  if (is_end) utterance.note_end();
  // Small pieces bound what a compressed message can grow to, and let others have their turn.
  const std::size_t piece =
      configuration_.format == stage::AudioFormat::ogg_opus ? 1024 : 64u << 10;
  while (!audio.empty() && !utterance.is_stopped()) {
    const auto bytes = audio.substr(0, piece);
    audio.remove_prefix(bytes.size());
    if (const auto heard = utterance.hear(bytes); !heard)
      co_return co_await give_up(utterance, heard.error().hint);
    if (utterance.audio_millis() > utterance_millis_max)
      co_return co_await give_up(utterance, "an utterance may last an hour at most");
    if (!co_await perform(utterance)) co_return false;
  }
  // The interrupt that stopped it is in the inbox, and ends it.
  if (utterance.is_stopped()) co_return true;
  if (is_end) {
    const auto ended = utterance.hear_end();
    if (!ended && !co_await complain(utterance.req_id(), invalid_argument, ended.error().hint))
      co_return false;
    if (!co_await perform(utterance)) co_return false;
  }
  if (utterance.is_over()) finish(utterance);
  co_return true;
}

http::Task<bool> MotionSession::perform(Utterance& utterance) {
  while (!utterance.is_stopped() && utterance.perform_slice()) {
    while (!utterance.is_stopped()) {
      auto bytes = utterance.take_message(form_);
      if (bytes.empty()) break;
      if (!co_await send(std::move(bytes))) co_return false;
    }
    co_await boost::asio::post(http::this_loop().executor(),
                               boost::asio::use_awaitable_t<http::Executor>());
  }
  co_return true;
}

http::Task<bool> MotionSession::give_up(Utterance& utterance, std::string text) {
  const auto req_id = utterance.req_id();
  // Once its end was sent, nothing more comes for it, and its req_id may begin anew.
  if (!utterance.end_is_noted()) ignore(req_id);
  finish(utterance);
  if (!co_await complain(req_id, invalid_argument, std::move(text))) co_return false;
  co_return co_await send(end_message(form_, req_id));
}

http::Task<bool> MotionSession::interrupt(const std::string& req_id) {
  auto* utterance = find(req_id);
  if (utterance == nullptr) co_return true;  // it has ended: nothing is left to stop
  if (!utterance->end_is_noted()) ignore(req_id);
  // Its last message may have gone out while the interrupt was on its way.
  const bool has_ended = utterance->is_over();
  finish(*utterance);
  co_return has_ended || co_await send(end_message(form_, req_id));
}

http::Task<bool> MotionSession::complain(const std::string& req_id, std::int32_t code,
                                         std::string text) {
  ++door_.parts_.counts.errors;
  co_return co_await send(error_message(form_.connection_id, req_id, code, text));
}

http::Task<bool> MotionSession::send(std::string bytes) {
  co_return (co_await socket_->send(std::move(bytes))).has_value();
}

void MotionSession::refuse_and_close(std::int32_t code, const std::string& text,
                                     std::uint16_t close_code) {
  ++door_.parts_.counts.errors;
  ended_by_ = reason_ = "protocol";
  socket_->close(close_code, text.substr(0, 120),
                 error_message(form_.connection_id, {}, code, text));
}

void MotionSession::end(SessionEnd why) {
  if (has_left_) return;
  if (why == SessionEnd::shutting_down) {
    is_stopping_ = true;
    if (!open_.empty() || is_performing_) return;
  }
  cut(why);
}

void MotionSession::cut(SessionEnd why) {
  if (has_left_) return;
  const auto words = farewell(why, grant_.leash());
  ended_by_ = "server";
  reason_ = rules::name_of(why);
  // Before the client has answered: one that keeps its socket open must not come back meanwhile.
  grant_.close(reason_);
  socket_->close(words.close_code, words.text.substr(0, 120),
                 error_message(form_.connection_id, {}, words.code, words.text));
}

void MotionSession::finish(const Utterance& utterance) {
  door_.parts_.counts.frames += utterance.frames_taken();
  door_.parts_.counts.audio_millis += utterance.audio_millis();
  std::erase_if(open_, [&](const auto& open) { return open.get() == &utterance; });
}

void MotionSession::ignore(const std::string& req_id) {
  if (ignored_.size() == ignored_req_ids_max) ignored_.erase(ignored_.begin());
  ignored_.push_back(req_id);
}

bool MotionSession::is_ignored(const message::ClientAudioInput& input) {
  const auto found = std::ranges::find(ignored_, input.req_id());
  if (found == ignored_.end()) return false;
  if (input.end()) ignored_.erase(found);
  return true;
}

Utterance* MotionSession::find(std::string_view req_id) {
  const auto found =
      std::ranges::find_if(open_, [&](const auto& open) { return open->req_id() == req_id; });
  return found == open_.end() ? nullptr : found->get();
}

http::WebSocketOptions MotionSessions::socket_options() const {
  http::WebSocketOptions options;
  options.message_bytes_max = options_.message_bytes_max;
  options.message_memory = options_.message_memory;
  return options;
}

void MotionSession::begin() {
  const auto& parts = door_.parts_;
  const auto& facts = grant_.live_session();
  forced_end_ = grant_.forced_end();
  known_ = parts.sessions.announce(
      facts, [weak = weak_from_this(), mailbox = http::this_loop().mailbox()](SessionEnd why) {
        mailbox->post([weak, why] {
          if (const auto live = weak.lock()) live->end(why);
        });
      });
  if (const auto why = parts.must_end(facts)) end(*why);
  ++parts.counts.sessions_begun;
  parts.log.write(base::LogLevel::info, "session.begun",
                  {{"request_id", request_id_},
                   {"session_id", facts.id},
                   {"app_id", facts.app_id},
                   {"api_key_id", facts.api_key_id},
                   {"token_id", facts.token_id},
                   {"avatar_id", facts.avatar_id},
                   {"environment", rules::name_of(facts.environment)}});
}

void MotionSession::leave(const std::exception_ptr& failure) {
  has_left_ = true;
  if (failure) {
    ended_by_ = reason_ = "mistake";
    socket_->close(internal_error, "the server made a mistake");
  }
  grant_.close(reason_);
  const auto lasted = door_.parts_.clock.now() - grant_.began_at();
  door_.parts_.log.write(failure ? base::LogLevel::error : base::LogLevel::info, "session.ended",
                         {{"request_id", request_id_},
                          {"session_id", form_.connection_id},
                          {"app_id", grant_.app_id()},
                          {"environment", rules::name_of(grant_.environment())},
                          {"ended_by", ended_by_},
                          {"reason", reason_},
                          {"close_code", socket_->close_code()},
                          {"lasted_millis", lasted.count()}});
}

void MotionSessions::start(std::unique_ptr<http::WebSocket> socket, actions::Grant grant,
                           std::string request_id) const {
  const auto session = std::make_shared<MotionSession>(*this, std::move(socket), std::move(grant),
                                                       std::move(request_id));
  session->begin();
  boost::asio::co_spawn(http::this_loop().executor(), session->serve(),
                        [session](const std::exception_ptr& failure) { session->leave(failure); });
}

}  // namespace stagedoor::spatius
