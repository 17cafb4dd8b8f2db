#include "spatius/motion_session.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <deque>
#include <memory>
#include <vector>

#include "base/text.h"
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
constexpr std::uint64_t utterance_millis_max = 3600u * 1000;

// gRPC's numbers where there is one (contract 3.8); the clients also read the words.
enum ServerErrorCode { invalid_argument = 3, deadline_exceeded = 4, session_time_limit = 4002 };
enum CloseCode {
  normal = 1000,
  going_away = 1001,
  protocol_error = 1002,
  unsupported_data = 1003,
  policy_violation = 1008
};

// YYYYMMDDHHMMSS_ and 12 random characters, as the vendor's ids look.
std::string new_connection_id(base::Instant now, base::Random& random) {
  return fmt::format("{:%Y%m%d%H%M%S}_{}", fmt::gmtime(std::chrono::system_clock::to_time_t(now)),
                     base::random_base62(random, 12));
}

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
  }
  std::unreachable();
}

}  // namespace

// The life of one session on its loop.
class MotionSession : public std::enable_shared_from_this<MotionSession> {
 public:
  MotionSession(const MotionSessions& door, http::WebSocket& socket, const actions::Grant& grant)
      : door_(door),
        socket_(socket),
        grant_(grant),
        form_{.connection_id = new_connection_id(door.parts_.clock.now(), door.parts_.random)},
        length_(http::this_loop().wheel(), [this] { cut(SessionEnd::length_reached); }),
        idle_(http::this_loop().wheel(), [this] { cut(SessionEnd::idle); }) {}

  const std::string& connection_id() const { return form_.connection_id; }
  std::string_view ended_by() const { return ended_by_; }

  http::Task<> serve();
  void end(SessionEnd why);
  // The socket is about to go: whatever fires now must not touch it.
  void leave() { has_left_ = true; }

 private:
  http::Task<bool> configure();
  http::Task<bool> handle(http::WebSocket::Message raw);
  http::Task<bool> hear(const message::ClientAudioInput& input);
  http::Task<bool> hear_pieces(Utterance& utterance, std::string_view audio, bool is_end);
  http::Task<bool> perform(Utterance& utterance);
  http::Task<bool> give_up(Utterance& utterance, bool is_end, std::string text);
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
  http::WebSocket& socket_;
  const actions::Grant& grant_;
  FrameForm form_;
  SessionConfiguration configuration_;
  http::TimerWheel::Deadline length_, idle_;
  std::vector<std::unique_ptr<Utterance>> open_;
  // Interrupted or failed utterances whose client may still be sending.
  std::deque<std::string> ignored_;
  bool is_stopping_ = false, has_left_ = false;
  std::string_view ended_by_ = "client";
};

http::Task<> MotionSession::serve() {
  length_.expire_after(grant_.leash().length_max);
  if (!co_await configure()) co_return;
  socket_.message_bytes_max(door_.options_.message_bytes_max);
  for (;;) {
    const auto raw = co_await socket_.read();
    if (!raw || !co_await handle(*raw)) co_return;
    if (is_stopping_ && open_.empty()) co_return cut(SessionEnd::shutting_down);
  }
}

http::Task<bool> MotionSession::configure() {
  socket_.message_bytes_max(first_message_bytes_max);
  idle_.expire_after(door_.options_.configure_within);
  const auto raw = co_await socket_.read();
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

http::Task<bool> MotionSession::handle(http::WebSocket::Message raw) {
  if (!raw.is_binary) {
    refuse_and_close(read_the_words, "unexpected message type: text frame", unsupported_data);
    co_return false;
  }
  message::Message in;
  if (!in.ParseFromArray(raw.bytes.data(), static_cast<int>(raw.bytes.size()))) {
    refuse_and_close(read_the_words, "failed to unmarshal message", protocol_error);
    co_return false;
  }
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
  idle_.expire_after(grant_.leash().idle_max);
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
  // Small pieces bound what a compressed message can grow to, and let others have their turn.
  const std::size_t piece =
      configuration_.format == stage::AudioFormat::ogg_opus ? 1024 : 64u << 10;
  while (!audio.empty()) {
    const auto bytes = audio.substr(0, piece);
    audio.remove_prefix(bytes.size());
    if (const auto heard = utterance.hear(bytes); !heard)
      co_return co_await give_up(utterance, is_end, heard.error().hint);
    if (utterance.audio_millis() > utterance_millis_max)
      co_return co_await give_up(utterance, is_end, "an utterance may last an hour at most");
    if (!co_await perform(utterance)) co_return false;
  }
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
  while (utterance.perform_slice()) {
    for (auto bytes = utterance.take_message(form_); !bytes.empty();
         bytes = utterance.take_message(form_))
      if (!co_await send(std::move(bytes))) co_return false;
    co_await boost::asio::post(http::this_loop().executor(),
                               boost::asio::use_awaitable_t<http::Executor>());
  }
  co_return true;
}

// `is_end`: the client sends nothing more for it, so its req_id may begin anew.
http::Task<bool> MotionSession::give_up(Utterance& utterance, bool is_end, std::string text) {
  const auto req_id = utterance.req_id();
  if (!is_end) ignore(req_id);
  finish(utterance);
  if (!co_await complain(req_id, invalid_argument, std::move(text))) co_return false;
  co_return co_await send(end_message(form_, req_id));
}

http::Task<bool> MotionSession::interrupt(const std::string& req_id) {
  auto* utterance = find(req_id);
  if (utterance == nullptr) co_return true;  // it has ended: nothing is left to stop
  ignore(req_id);
  finish(*utterance);
  co_return co_await send(end_message(form_, req_id));
}

http::Task<bool> MotionSession::complain(const std::string& req_id, std::int32_t code,
                                         std::string text) {
  ++door_.parts_.counts.errors;
  co_return co_await send(error_message(form_.connection_id, req_id, code, text));
}

http::Task<bool> MotionSession::send(std::string bytes) {
  co_return (co_await socket_.send(std::move(bytes))).has_value();
}

void MotionSession::refuse_and_close(std::int32_t code, const std::string& text,
                                     std::uint16_t close_code) {
  ++door_.parts_.counts.errors;
  ended_by_ = "protocol";
  socket_.send_now(error_message(form_.connection_id, {}, code, text));
  socket_.close(close_code, text.substr(0, 120));
}

void MotionSession::end(SessionEnd why) {
  if (has_left_) return;
  if (why == SessionEnd::shutting_down) {
    is_stopping_ = true;
    if (!open_.empty()) return;
  }
  cut(why);
}

void MotionSession::cut(SessionEnd why) {
  if (has_left_) return;
  const auto words = farewell(why, grant_.leash());
  ended_by_ = "server";
  socket_.send_now(error_message(form_.connection_id, {}, words.code, words.text));
  socket_.close(words.close_code, words.text.substr(0, 120));
}

void MotionSession::finish(const Utterance& utterance) {
  door_.parts_.counts.frames += utterance.frames_taken();
  door_.parts_.counts.audio_millis += utterance.audio_millis();
  std::erase_if(open_, [&](const auto& open) { return open.get() == &utterance; });
}

void MotionSession::ignore(const std::string& req_id) {
  if (ignored_.size() == ignored_req_ids_max) ignored_.pop_front();
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

http::Task<> MotionSessions::run(http::WebSocket& socket, actions::Grant grant,
                                 std::string request_id) const {
  const auto session = std::make_shared<MotionSession>(*this, socket, grant);
  const rules::LiveSession facts{.id = session->connection_id(),
                                 .app_id = grant.app_id(),
                                 .api_key_id = grant.api_key_id(),
                                 .token_id = grant.token_id(),
                                 .subject = grant.subject(),
                                 .avatar_id = grant.avatar_id(),
                                 .environment = grant.environment(),
                                 .began_at = grant.admitted_at()};
  const auto known = parts_.sessions.announce(
      facts, [weak = std::weak_ptr(session), mailbox = http::this_loop().mailbox()](SessionEnd why) {
        mailbox->post([weak, why] {
          if (const auto live = weak.lock()) live->end(why);
        });
      });
  if (const auto why = parts_.must_end(facts)) session->end(*why);
  ++parts_.counts.sessions_begun;
  parts_.log.write(base::LogLevel::info, "session.begun",
                   {{"request_id", request_id},
                    {"session_id", session->connection_id()},
                    {"app_id", grant.app_id()},
                    {"api_key_id", grant.api_key_id()},
                    {"token_id", grant.token_id()},
                    {"avatar_id", grant.avatar_id()},
                    {"environment", rules::name_of(grant.environment())}});
  co_await session->serve();
  session->leave();
  const auto lasted = parts_.clock.now() - grant.admitted_at();
  parts_.log.write(base::LogLevel::info, "session.ended",
                   {{"request_id", request_id},
                    {"session_id", session->connection_id()},
                    {"app_id", grant.app_id()},
                    {"ended_by", session->ended_by()},
                    {"close_code", socket.close_code()},
                    {"lasted_millis", lasted.count()}});
}

}  // namespace stagedoor::spatius
