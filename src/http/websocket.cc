// The only place that sees Beast's WebSocket.
//
// SPDX-License-Identifier: Apache-2.0

#include "http/websocket.h"

#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/websocket.hpp>
#include <exception>
#include <utility>
#include <vector>

#include "http/await.h"
#include "http/open_websocket.h"

namespace stagedoor::http {

namespace {

namespace beast = boost::beast;
namespace ws = boost::beast::websocket;
using boost::system::error_code;

constexpr std::chrono::seconds close_time{5};
// Held by every open socket, so small; what is longer goes to a block that is freed after use.
constexpr std::size_t short_bytes_max = 256;
constexpr std::size_t block_bytes_min = 4096;
// RFC 6455 5.5: a control frame holds 125 bytes, two of them the close code.
constexpr std::size_t reason_bytes_max = 123;
// A last word that leaves in one packet with the goodbye.
constexpr std::size_t last_word_bytes_max = 4096;

constexpr boost::asio::use_awaitable_t<Executor> token;

// Beast would read until the peer has closed, for as long as it takes. Ours only says goodbye;
// what then still comes in is Session::linger's.
class Transport : public Socket {
 public:
  explicit Transport(Socket&& socket) : Socket(std::move(socket)) {}
};

template <class Handler>
void async_teardown(beast::role_type, Transport& transport, Handler&& handler) {
  error_code error;
  transport.shutdown(Socket::shutdown_send, error);
  boost::asio::post(transport.get_executor(), [handler = std::forward<Handler>(handler)]() mutable {
    handler(error_code{});
  });
}

// What the kernel tells of a TCP connection; the C library's struct ends before what we need.
struct TcpFacts {
  tcp_info first{};
  std::uint64_t pacing_rate = 0, pacing_rate_max = 0, bytes_acknowledged = 0, bytes_received = 0;
};

// RFC 6455 5.2: a whole frame of a server, so without a mask; its content in two parts.
enum class Opcode : std::uint8_t { binary = 0x2, close = 0x8 };

void append_frame(std::string& out, Opcode opcode, std::string_view first,
                  std::string_view second) {
  const std::uint64_t size = first.size() + second.size();
  const int length_bytes = size < 126 ? 0 : size < 65536 ? 2 : 8;
  out += static_cast<char>(0x80 | static_cast<std::uint8_t>(opcode));
  out += static_cast<char>(length_bytes == 0 ? size : length_bytes == 2 ? 126 : 127);
  for (int byte = length_bytes - 1; byte >= 0; --byte)
    out += static_cast<char>(size >> (8 * byte) & 0xff);
  out.append(first).append(second);
}

using Stream = ws::stream<Transport, /*deflateSupported=*/false>;

class Session final : public Guest, public std::enable_shared_from_this<Session> {
 public:
  Session(ServerLoop& loop, Socket socket, ConnectionLimits::Ticket ticket,
          WebSocketOptions options);
  ~Session() override;

  Task<bool> open(const Request& request);
  Task<base::Result<WebSocket::Message>> read();
  Task<base::Result<base::Done>> send(std::string bytes);
  bool send_text_now(std::string text);
  void close(std::uint16_t code, std::string_view reason, std::string last_word = {});
  void message_bytes_max(std::size_t bytes) { stream_.read_message_max(bytes); }
  std::uint16_t close_code() const { return close_code_; }
  void leave_unread();

  void leave_if_idle() override {}
  void drop() override;

 private:
  enum class Form : bool { binary, text };
  struct Outgoing {
    std::string bytes;
    Form form;
  };

  void put(Outgoing message);
  Task<std::size_t> read_long(std::size_t bytes, error_code& error);
  bool grow_long(std::size_t size);
  void drop_long();
  Task<> write_all();
  Task<> write_close();
  void fail_writing();
  void start_writing();
  bool leave_at_once(std::uint16_t code, std::string_view reason, std::string_view last_word);
  void end(std::uint16_t code);
  void end_after(const error_code& error);
  void linger();
  void on_lingering();
  void on_silence();
  void on_no_write();
  TcpFacts facts();
  bool is_ending() const { return ended_ || close_wanted_ || broken_; }

  ServerLoop& loop_;
  ConnectionLimits::Ticket ticket_;
  const WebSocketOptions options_;
  Stream stream_;
  std::array<char, short_bytes_max> short_;
  std::vector<char> long_;
  std::size_t budgeted_ = 0;  // of the common memory, for long_
  std::vector<Outgoing> outbox_;
  std::size_t outbox_bytes_ = 0;  // with what is being written
  Signal room_;
  ws::close_reason reason_;
  std::uint64_t acknowledged_bytes_ = 0, received_at_ping_ = 0;
  std::uint16_t close_code_ = 1006;
  bool writing_ = false, close_wanted_ = false, ended_ = false, broken_ = false;
  bool reading_ = false;
  bool says_goodbye_ = false;  // and whoever reads waits for the peer's answer
  TimerWheel::Deadline silence_, no_write_, goodbye_;
};

Session::Session(ServerLoop& loop, Socket socket, ConnectionLimits::Ticket ticket,
                 WebSocketOptions options)
    : loop_(loop),
      ticket_(std::move(ticket)),
      options_(options),
      stream_(Transport(std::move(socket))),
      silence_(loop.loop().wheel(), [this] { on_silence(); }),
      no_write_(loop.loop().wheel(), [this] { on_no_write(); }),
      goodbye_(loop.loop().wheel(), [this] { drop(); }) {
  loop_.enter(*this, ServerLoop::Kind::websocket);
  stream_.set_option(
      ws::stream_base::timeout{ws::stream_base::none(), ws::stream_base::none(), false});
  stream_.read_message_max(options_.message_bytes_max);
  stream_.auto_fragment(false);
  stream_.binary(true);
  stream_.control_callback([this](ws::frame_type kind, beast::string_view) {
    // The peer's goodbye: ours must get out in time.
    if (kind == ws::frame_type::close) goodbye_.expire_after(close_time);
  });
}

Session::~Session() {
  drop_long();
  unlink();
  loop_.left(ServerLoop::Kind::websocket);
}

// Sends the 101.
Task<bool> Session::open(const Request& request) {
  const auto self = shared_from_this();
  const std::string id(request.id());
  stream_.set_option(ws::stream_base::decorator([id](ws::response_type& response) {
    response.set(beast::http::field::server, "stagedoor");
    response.set("X-Request-Id", id);
  }));
  beast::http::request<beast::http::empty_body> handshake;
  handshake.method(beast::http::verb::get);
  handshake.target("/");
  handshake.version(11);
  for (const std::string_view name :
       {"Host", "Upgrade", "Connection", "Sec-WebSocket-Key", "Sec-WebSocket-Version"}) {
    handshake.set(beast::string_view(name.data(), name.size()),
                  beast::string_view(request.header(name).value_or("")));
  }
  no_write_.expire_after(options_.write_timeout);
  error_code error;
  co_await stream_.async_accept(handshake, boost::asio::redirect_error(token, error));
  no_write_.clear();
  if (error || ended_) {
    drop();
    co_return false;
  }
  stream_.set_option(ws::stream_base::decorator([](ws::response_type&) {}));
  silence_.expire_after(options_.ping_after);
  co_return true;
}

// Reading.

Task<base::Result<WebSocket::Message>> Session::read() {
  const auto self = shared_from_this();
  drop_long();
  while (!ended_ || says_goodbye_) {
    reading_ = true;
    error_code error;
    std::size_t bytes = co_await stream_.async_read_some(boost::asio::buffer(short_),
                                                         boost::asio::redirect_error(token, error));
    const bool is_short = !error && stream_.is_message_done();
    if (!error && !is_short && is_ending()) continue;
    if (!error && !is_short) bytes = co_await read_long(bytes, error);
    reading_ = false;
    if (error) {
      says_goodbye_ ? drop() : end_after(error);
      break;
    }
    // What comes after our goodbye is of no interest.
    if (is_ending()) continue;
    const char* const data = is_short ? short_.data() : long_.data();
    co_return WebSocket::Message{.is_binary = stream_.got_binary(), .bytes = {data, bytes}};
  }
  co_return base::fail(base::ErrorCode::unavailable, "the WebSocket is closed");
}

// The rest of a message whose first bytes are in short_. The block grows with what has arrived and
// not with what a frame announces.
Task<std::size_t> Session::read_long(std::size_t bytes, error_code& error) {
  if (!grow_long(block_bytes_min)) co_return 0;
  std::copy_n(short_.begin(), bytes, long_.begin());
  while (!error && !stream_.is_message_done()) {
    if (bytes == long_.size() && !grow_long(long_.size() * 2)) co_return 0;
    bytes += co_await stream_.async_read_some(
        boost::asio::buffer(long_.data() + bytes, long_.size() - bytes),
        boost::asio::redirect_error(token, error));
  }
  co_return bytes;
}

// False, and the socket is closing, where the common memory for messages is used up.
bool Session::grow_long(std::size_t size) {
  if (options_.message_memory != nullptr) {
    if (!options_.message_memory->take(size - budgeted_)) {
      close(1013, "the server holds too many long messages; try again later");
      return false;
    }
    budgeted_ = size;
  }
  long_.resize(size);
  return true;
}

void Session::drop_long() {
  if (options_.message_memory != nullptr)
    options_.message_memory->give_back(std::exchange(budgeted_, 0));
  long_ = std::vector<char>();
}

// Writing.

Task<base::Result<base::Done>> Session::send(std::string bytes) {
  const auto self = shared_from_this();
  while (outbox_bytes_ > options_.outbox_bytes_max && !is_ending()) co_await room_.wait();
  if (is_ending()) co_return base::fail(base::ErrorCode::unavailable, "the WebSocket is closing");
  put({std::move(bytes), Form::binary});
  co_return base::Done{};
}

bool Session::send_text_now(std::string text) {
  if (is_ending() || outbox_bytes_ > options_.outbox_bytes_max) return false;
  put({std::move(text), Form::text});
  return true;
}

void Session::put(Outgoing message) {
  if (is_ending()) return;
  outbox_bytes_ += message.bytes.size();
  outbox_.push_back(std::move(message));
  start_writing();
}

void Session::close(std::uint16_t code, std::string_view reason, std::string last_word) {
  if (broken_) return drop();
  if (is_ending()) return;
  reason = reason.substr(0, reason_bytes_max);
  if (!writing_ && leave_at_once(code, reason, last_word)) return;
  if (!last_word.empty()) put({std::move(last_word), Form::binary});
  close_wanted_ = true;
  reason_.code = code;
  reason_.reason = beast::string_view(reason.data(), reason.size());
  goodbye_.expire_after(close_time);
  room_.notify_all(loop_.loop().executor());
  start_writing();
}

// Past Beast, which would make two packets and a coroutine of it: whoever ends thousands of
// sessions at once pays for each. False, and nothing was sent, where it is long or the kernel has
// no room for it now. A peer that has left room for a part of it only does not read, and is
// dropped.
//
// Where Beast is in the middle of a pong that did not fit, the kernel has no room either.
bool Session::leave_at_once(std::uint16_t code, std::string_view reason,
                            std::string_view last_word) {
  if (last_word.size() > last_word_bytes_max) return false;
  std::string bytes;
  bytes.reserve(last_word.size() + reason.size() + 16);
  if (!last_word.empty()) append_frame(bytes, Opcode::binary, {}, last_word);
  const char number[2] = {static_cast<char>(code >> 8), static_cast<char>(code & 0xff)};
  append_frame(bytes, Opcode::close, {number, sizeof number}, reason);
  // MSG_MORE: the FIN of `end` sends it off.
  const auto sent = ::send(stream_.next_layer().native_handle(), bytes.data(), bytes.size(),
                           MSG_DONTWAIT | MSG_NOSIGNAL | MSG_MORE);
  if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return false;
  if (sent == static_cast<ssize_t>(bytes.size())) {
    says_goodbye_ = reading_;
    end(code);
  } else {
    drop();
  }
  return true;
}

void Session::start_writing() {
  if (std::exchange(writing_, true)) return;
  boost::asio::co_spawn(loop_.loop().executor(), write_all(),
                        [self = shared_from_this()](const std::exception_ptr& failure) {
                          if (failure) self->drop();
                        });
}

// Runs only while there is something to write.
Task<> Session::write_all() {
  while (!outbox_.empty() && !ended_) {
    const auto batch = std::exchange(outbox_, {});
    for (const auto& [bytes, form] : batch) {
      acknowledged_bytes_ = facts().bytes_acknowledged;
      no_write_.expire_after(options_.write_timeout);
      error_code error;
      stream_.text(form == Form::text);
      co_await stream_.async_write(boost::asio::buffer(bytes),
                                   boost::asio::redirect_error(token, error));
      no_write_.clear();
      if (ended_) break;
      outbox_bytes_ -= bytes.size();
      if (outbox_bytes_ <= options_.outbox_bytes_max) room_.notify_all(loop_.loop().executor());
      if (error) {
        fail_writing();
        co_return;
      }
    }
  }
  if (close_wanted_ && !ended_) co_await write_close();
  writing_ = false;
}

// Whoever reads learns by itself how it ended; whoever sends learns that it is in vain.
void Session::fail_writing() {
  broken_ = true;
  outbox_ = std::vector<Outgoing>();
  outbox_bytes_ = 0;
  room_.notify_all(loop_.loop().executor());
  if (close_wanted_) drop();
}

// Beast waits here for the peer's answer, reading past what else comes where nobody reads.
Task<> Session::write_close() {
  error_code error;
  co_await stream_.async_close(reason_, boost::asio::redirect_error(token, error));
  if (!ended_) end(error ? std::uint16_t{1006} : reason_.code);
}

// Ending.

void Session::end_after(const error_code& error) {
  if (ended_) return;
  if (error == ws::error::closed) {
    const auto code = stream_.reason().code;
    return end(close_wanted_ ? reason_.code : code == ws::close_code::none ? 1005 : code);
  }
  if (error == ws::error::message_too_big || error == ws::error::buffer_overflow) return end(1009);
  if (error == ws::error::bad_frame_payload) return end(1007);
  if (error == ws::condition::protocol_violation) return end(1002);
  end(1006);
}

// Nothing more is read or written; the TCP connection ends when the peer closes its side, or soon.
void Session::end(std::uint16_t code) {
  if (ended_) return;
  ended_ = true;
  close_code_ = code;
  outbox_ = std::vector<Outgoing>();
  outbox_bytes_ = 0;
  silence_.clear();
  no_write_.clear();
  room_.notify_all(loop_.loop().executor());
  if (!stream_.next_layer().is_open()) return;
  goodbye_.expire_after(close_time);
  error_code ignored;
  stream_.next_layer().shutdown(Socket::shutdown_send, ignored);
  if (!says_goodbye_) linger();
}

void Session::linger() {
  stream_.next_layer().async_wait(Socket::wait_read,
                                  [self = shared_from_this()](const error_code& error) {
                                    if (!error) self->on_lingering();
                                  });
}

void Session::on_lingering() {
  char discarded[4096];
  const auto received =
      ::recv(stream_.next_layer().native_handle(), discarded, sizeof discarded, MSG_DONTWAIT);
  if (received > 0 || (received < 0 && errno == EAGAIN)) return linger();
  drop();
}

void Session::drop() {
  end(1006);
  goodbye_.clear();
  error_code ignored;
  stream_.next_layer().close(ignored);
}

// The session's owner is gone.
void Session::leave_unread() {
  close(std::uncaught_exceptions() > 0 ? 1011 : 1000, "");
}

// Time. What the peer has sent and taken is asked of the kernel and only when a deadline is over,
// so it costs nothing on the way.

TcpFacts Session::facts() {
  TcpFacts facts;
  socklen_t size = sizeof facts;
  ::getsockopt(stream_.next_layer().native_handle(), IPPROTO_TCP, TCP_INFO, &facts, &size);
  return facts;
}

void Session::on_silence() {
  const auto now = facts();
  const std::chrono::milliseconds silent{now.first.tcpi_last_data_recv};
  const std::chrono::milliseconds limit = options_.ping_after;
  if (silent >= 2 * limit) return drop();
  if (silent < limit) return silence_.expire_after(limit - silent);
  silence_.expire_after(2 * limit - silent);
  // One ping for each silence: a pong ends it, and we ask again after the next.
  if (std::exchange(received_at_ping_, now.bytes_received) == now.bytes_received) return;
  stream_.async_ping({}, [self = shared_from_this()](const error_code&) {});
}

void Session::on_no_write() {
  const auto acknowledged = facts().bytes_acknowledged;
  if (acknowledged == acknowledged_bytes_) return drop();
  acknowledged_bytes_ = acknowledged;
  no_write_.expire_after(options_.write_timeout);
}

// What the owner holds: the session itself may outlive it to say goodbye.
class OwnedSession final : public WebSocket {
 public:
  explicit OwnedSession(std::shared_ptr<Session> session) : session_(std::move(session)) {}
  ~OwnedSession() override { session_->leave_unread(); }

  Task<base::Result<Message>> read() override { return session_->read(); }
  Task<base::Result<base::Done>> send(std::string bytes) override {
    return session_->send(std::move(bytes));
  }
  bool send_text_now(std::string text) override { return session_->send_text_now(std::move(text)); }
  using WebSocket::close;
  void close(std::uint16_t code, std::string_view reason, std::string last_word) override {
    session_->close(code, reason, std::move(last_word));
  }
  void message_bytes_max(std::size_t bytes) override { session_->message_bytes_max(bytes); }
  std::uint16_t close_code() const override { return session_->close_code(); }

 private:
  std::shared_ptr<Session> session_;
};

}  // namespace

Task<base::Result<std::unique_ptr<WebSocket>>> open_websocket(ServerLoop& loop, Socket socket,
                                                              ConnectionLimits::Ticket ticket,
                                                              const Request& request,
                                                              WebSocketOptions options) {
  auto session =
      std::make_shared<Session>(loop, std::move(socket), std::move(ticket), std::move(options));
  if (!co_await session->open(request)) {
    co_return base::fail(base::ErrorCode::unavailable, "the opening handshake was not sent");
  }
  co_return std::make_unique<OwnedSession>(std::move(session));
}

}  // namespace stagedoor::http
