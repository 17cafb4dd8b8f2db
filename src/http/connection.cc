// SPDX-License-Identifier: Apache-2.0

#include "http/connection.h"

#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <cerrno>
#include <utility>

#include "http/answer.h"
#include "http/open_websocket.h"

namespace stagedoor::http {

namespace {

using boost::system::error_code;

// What is read at once from a peer before others have their turn.
constexpr int receives_per_turn = 16;
constexpr std::size_t room_bytes_min = 512;
// Answers to pipelined requests are gathered up to about so much.
constexpr std::size_t gathered_bytes_max = 64u << 10;
// After a refusal we still take so much of what the peer is sending, and for so long: closing at
// once would reset the connection, and the peer might never read why.
constexpr std::size_t drained_bytes_max = 4u << 20;
constexpr std::chrono::seconds drain_time{2};

// RFC 6455 4.1: base64 of 16 bytes.
bool is_websocket_key(std::string_view key) {
  constexpr auto is_base64 = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' ||
           c == '/';
  };
  if (key.size() != 24 || !key.ends_with("==")) return false;
  for (const char c : key.substr(0, 22)) {
    if (!is_base64(c)) return false;
  }
  return true;
}

// RFC 6455 4.2.1. Empty: well-formed.
std::string_view handshake_problem(const RequestReader& reader, bool more_follows) {
  const auto& request = reader.request();
  if (request.method() != "GET" || reader.is_http_1_0())
    return "A WebSocket begins with a GET of HTTP/1.1.";
  if (!has_token(request.header("Upgrade").value_or(""), "websocket")) {
    return "The field Upgrade: websocket is missing.";
  }
  if (!has_token(request.header("Connection").value_or(""), "upgrade")) {
    return "The field Connection: Upgrade is missing.";
  }
  if (request.header("Sec-WebSocket-Version") != "13") return "Sec-WebSocket-Version must be 13.";
  if (request.header_count("Sec-WebSocket-Key") != 1 ||
      !is_websocket_key(*request.header("Sec-WebSocket-Key"))) {
    return "Sec-WebSocket-Key is missing or malformed.";
  }
  if (!request.body().empty()) return "A WebSocket's opening request has no body.";
  // RFC 6455 4.1: the client waits for the answer before it sends anything further.
  if (more_follows) return "Bytes follow the opening request before its answer.";
  return {};
}

}  // namespace

class Connection::Handshake final : public Upgrade {
 public:
  Handshake(Connection& connection, std::string_view problem)
      : connection_(connection), problem_(problem) {}

  bool is_well_formed() const override { return problem_.empty(); }
  std::string_view problem() const override { return problem_; }
  Response& refusal() override { return connection_.exchange_->response; }

  Task<base::Result<std::unique_ptr<WebSocket>>> accept(const WebSocketOptions& options) override {
    auto& connection = connection_;
    if (!is_well_formed()) co_return base::fail(base::ErrorCode::malformed, std::string(problem_));
    if (connection.phase_ != Phase::handling || !connection.unsent_.empty()) {
      co_return base::fail(base::ErrorCode::unavailable, "the connection is closed");
    }
    connection.phase_ = Phase::upgraded;
    connection.observe(101, 0);
    auto ticket = std::move(*connection.ticket_);
    connection.ticket_.reset();
    co_return co_await open_websocket(connection.loop_, connection.hand_over_socket(),
                                      std::move(ticket), connection.exchange_->reader.request(),
                                      options);
  }

 private:
  Connection& connection_;
  std::string_view problem_;
};

// Lack of memory costs one connection, and what it had not yet sent must not reach another.
template <class Turn>
void Connection::guarded(Turn turn) {
  try {
    turn();
  } catch (...) {
    loop_.outbox().drop_own();
    close();
  }
}

Connection::Connection(ServerLoop& loop, Descriptor socket, ConnectionLimits::Ticket ticket,
                       std::string peer)
    : loop_(loop),
      socket_(std::move(socket)),
      ticket_(std::move(ticket)),
      peer_(std::move(peer)),
      address_(base::parse_address(peer_).value_or(base::Address{})),
      deadline_(loop.loop().wheel(), [this] {
        const Pointer self(this);
        guarded([this] { on_deadline(); });
      }) {
  loop_.enter(*this, ServerLoop::Kind::connection);
}

Connection::~Connection() {
  loop_.give_back(std::move(exchange_));
  unlink();
  loop_.left(ServerLoop::Kind::connection);
}

void Connection::start() {
  if (!loop_.readiness().add(socket_.number(), *this)) {
    phase_ = Phase::closed;
    return socket_.close();
  }
  await(Awaited::request);
}

void Connection::leave_if_idle() {
  const Pointer self(this);
  if (phase_ == Phase::waiting && awaited_ == Awaited::request) close();
}

void Connection::drop() {
  const Pointer self(this);
  close();
}

void Connection::close() {
  if (phase_ == Phase::closed || phase_ == Phase::upgraded) return;
  const bool is_handled = phase_ == Phase::handling;
  phase_ = Phase::closed;
  deadline_.clear();
  loop_.readiness().remove(socket_.number(), *this);
  socket_.close();
  // A handler that still runs looks at the request.
  if (!is_handled) loop_.give_back(std::move(exchange_));
}

// To a library's socket, which waits in its own way.
Socket Connection::hand_over_socket() {
  loop_.readiness().remove(socket_.number(), *this);
  int family = AF_INET;
  socklen_t size = sizeof family;
  ::getsockopt(socket_.number(), SOL_SOCKET, SO_DOMAIN, &family, &size);
  Socket socket(loop_.loop().io());
  error_code error;
  using boost::asio::ip::tcp;
  socket.assign(family == AF_INET6 ? tcp::v6() : tcp::v4(), socket_.number(), error);
  if (!error) socket_.release();
  return socket;
}

// Reading.

void Connection::on_ready(std::uint32_t events) noexcept {
  if ((events & ~EPOLLOUT) != 0) readable_ = true;
  if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) ended_ = true;
  guarded([this] { on_event(); });
}

void Connection::on_event() {
  if (phase_ == Phase::waiting) return read();
  if (phase_ == Phase::writing) return write_on();
  if (phase_ == Phase::draining) return drain_on();
}

void Connection::read() {
  for (int i = 0; readable_; ++i) {
    if (i == receives_per_turn) return loop_.readiness().again(socket_.number(), *this);
    take_exchange();
    const bool received = receive();
    if (phase_ != Phase::waiting) return;
    if (!received) break;
    if (loop_.server().observer) began_ = std::chrono::steady_clock::now();
    serve();
    if (phase_ != Phase::waiting) return;
  }
  if (exchange_ && exchange_->input.size() == 0) loop_.give_back(std::move(exchange_));
}

void Connection::take_exchange() {
  if (exchange_) return;
  exchange_ = loop_.take_exchange();
  exchange_->reader.secrets_in_target(loop_.server().options.secrets_in_target);
}

// False: nothing has come.
bool Connection::receive() {
  auto& input = exchange_->input;
  if (input.room_size() < room_bytes_min) {
    exchange_->reader.rebase(input.make_room(room_bytes_min));
  }
  const auto bytes = receive_into(input.room(), input.room_size());
  if (bytes > 0) input.received(bytes);
  return bytes > 0;
}

// Keeps `readable_` true to the truth: one who has sent less than there was room for has nothing
// more here, unless it has said that it ends, which is told by an empty read behind the rest.
// Closes at that end.
std::size_t Connection::receive_into(char* room, std::size_t room_bytes) {
  const auto received = ::recv(socket_.number(), room, room_bytes, MSG_DONTWAIT);
  if (received > 0) {
    const auto bytes = static_cast<std::size_t>(received);
    readable_ = bytes == room_bytes || ended_;
    return bytes;
  }
  readable_ = received < 0 && errno == EINTR;
  if (received == 0 || (errno != EAGAIN && errno != EINTR)) close();
  return 0;
}

void Connection::go_on() {
  serve();
  if (phase_ == Phase::waiting) read();
}

// Answers all whole requests that are there. Leaves the phase at `waiting` where more must come.
void Connection::serve() {
  auto next = Next::go_on;
  while (next == Next::go_on && phase_ == Phase::waiting) {
    if (closing_) return go_on_or_end();
    if (!exchange_) return wait_for_request();
    auto& reader = exchange_->reader;
    if (exchange_->input.size() == 0) {
      next = need_more();
      break;
    }
    switch (reader.read(exchange_->input)) {
      case RequestReader::Progress::need_more:
        next = need_more();
        break;
      case RequestReader::Progress::complete:
        next = answer();
        break;
      case RequestReader::Progress::refused:
        return refuse_and_close(reader.refusal().status, reader.refusal().what);
    }
  }
}

Connection::Next Connection::need_more() {
  const auto& exchange = *exchange_;
  if (exchange.input.size() == 0) {
    if (flush_with_the_turn()) wait_for_request();
    return Next::wait;
  }
  if (!exchange.reader.has_head()) {
    await(Awaited::rest_of_head);
  } else {
    await(Awaited::rest_of_body);
    if (exchange.reader.expects_continue() && !told_to_continue_) return ask_for_body();
  }
  flush();
  return Next::wait;
}

void Connection::wait_for_request() {
  await(Awaited::request);
  loop_.give_back(std::move(exchange_));
  if (loop_.is_stopping()) close();
}

// A body that nobody wants is not asked for.
Connection::Next Connection::ask_for_body() {
  const auto& request = exchange_->reader.request();
  told_to_continue_ = true;
  if (!loop_.server().router.match(request.method(), request.path()).route) {
    closing_ = drains_ = true;
    return answer();
  }
  if (!exchange_->reader.is_http_1_0()) loop_.outbox().text() += "HTTP/1.1 100 Continue\r\n\r\n";
  flush();
  return Next::wait;
}

void Connection::await(Awaited awaited) {
  // The time for a head or body counts from its beginning: a trickle does not move it.
  if (awaited == awaited_ && awaited != Awaited::request) return;
  awaited_ = awaited;
  const auto& options = loop_.server().options;
  if (awaited == Awaited::request) deadline_.expire_after(options.idle_timeout);
  if (awaited == Awaited::rest_of_head) deadline_.expire_after(options.head_timeout);
  if (awaited == Awaited::rest_of_body) deadline_.expire_after(options.body_timeout);
}

void Connection::on_deadline() {
  switch (phase_) {
    case Phase::waiting:
      if (awaited_ == Awaited::rest_of_head || awaited_ == Awaited::rest_of_body) {
        return refuse_and_close(408, "The request took too long to arrive.");
      }
      return close();
    case Phase::writing:
    case Phase::draining:
      return close();
    case Phase::handling:
    case Phase::upgraded:
    case Phase::closed:
      return;
  }
}

// Answering.

void Connection::tell_client() {
  auto& reader = exchange_->reader;
  const auto& proxies = loop_.server().options.trusted_proxies;
  reader.peer(peer_, address_);
  if (proxies.empty()) return;
  // Several fields are one list (RFC 9110 5.3), and the last of it counts most.
  std::string forwarded;
  for (const auto& [name, value] : reader.request().headers()) {
    if (!same_name(name, "X-Forwarded-For")) continue;
    forwarded += ',';
    forwarded += value;
  }
  const auto client = base::client_behind(address_, forwarded, proxies);
  if (client == address_) return;
  client_ = base::text_of(client);
  reader.peer(client_, client);
}

Connection::Next Connection::answer() {
  auto& [input, reader, response, id] = *exchange_;
  loop_.write_id(id);
  reader.id({id.data(), id.size()});
  tell_client();
  const auto& request = reader.request();
  auto match = loop_.server().router.match(request.method(), request.path());
  route_ = match.route;
  if (!match.route) {
    write_refusal(match.path_known ? 405 : 404, match.path_known
                                                    ? "The path does not know this method."
                                                    : "There is nothing at this path.");
    if (match.path_known) response.header("Allow", match.allow);
    finish_answer();
    return Next::go_on;
  }
  reader.route_pattern(match.route->pattern);
  try {
    return call(*match.route);
  } catch (...) {
    phase_ = Phase::waiting;
    on_handled(std::current_exception());
    return Next::go_on;
  }
}

Connection::Next Connection::call(const Route& route) {
  auto& [input, reader, response, id] = *exchange_;
  if (const auto* handler = std::get_if<Handler>(&route.handler)) {
    (*handler)(reader.request(), response);
    finish_answer();
    return Next::go_on;
  }
  // What is answered already goes out before we wait for more; the request is read again then.
  if (!flush()) return Next::wait;
  if (const auto* handler = std::get_if<WaitingHandler>(&route.handler)) {
    auto handling = (*handler)(reader.request(), response);
    if (!handling.valid()) {
      finish_answer();
      return Next::go_on;
    }
    begin_handling();
    spawn(std::move(handling));
  } else {
    begin_handling();
    call_upgrade(route);
  }
  return Next::wait;
}

void Connection::begin_handling() {
  awaited_ = Awaited::nothing;
  deadline_.clear();
  phase_ = Phase::handling;
}

// The request of a WebSocket lives as long as the session, so it is given the least memory.
void Connection::call_upgrade(const Route& route) {
  auto& reader = exchange_->reader;
  reader.rebase(exchange_->input.shrink());
  reader.shrink();
  const bool more_follows = exchange_->input.size() > reader.bytes_used();
  handshake_ = std::make_unique<Handshake>(*this, handshake_problem(reader, more_follows));
  spawn(std::get<UpgradeHandler>(route.handler)(reader.request(), *handshake_));
}

void Connection::spawn(Task<> handling) {
  boost::asio::co_spawn(loop_.loop().executor(), std::move(handling),
                        [self = Pointer(this)](const std::exception_ptr& failure) {
                          if (self->phase_ != Phase::handling) return;
                          self->phase_ = Phase::waiting;
                          self->guarded([&] {
                            self->on_handled(failure);
                            self->go_on();
                          });
                        });
}

// The one place where what a handler threw becomes an answer.
void Connection::on_handled(const std::exception_ptr& failure) {
  handshake_.reset();
  if (failure) write_refusal(500, "Something went wrong on our side.");
  finish_answer();
}

void Connection::write_refusal(int status, std::string_view what) {
  auto& response = exchange_->response;
  response.clear();
  try {
    loop_.server().router.errors_for(exchange_->reader.request().path())(response, status, what);
  } catch (...) {
    response.clear();
    response.start(status, "text/plain");
  }
}

void Connection::refuse_and_close(int status, std::string_view what) {
  route_ = nullptr;
  auto& id = exchange_->id;
  loop_.write_id(id);
  exchange_->reader.id({id.data(), id.size()});
  tell_client();
  write_refusal(status, what);
  closing_ = drains_ = true;
  finish_answer();
  go_on_or_end();
}

void Connection::finish_answer() {
  auto& [input, reader, response, id] = *exchange_;
  if (!reader.keeps_alive() || loop_.is_stopping()) closing_ = true;
  const auto persistence = closing_               ? Persistence::close
                           : reader.is_http_1_0() ? Persistence::keep_alive_said
                                                  : Persistence::keep_alive;
  const auto body = reader.request().method() == "HEAD" ? BodySent::head_only : BodySent::with_body;
  const int status = append_answer(loop_.outbox().text(), response,
                                   {.date = loop_.date(),
                                    .request_id = {id.data(), id.size()},
                                    .persistence = persistence,
                                    .body = body});
  observe(status, body == BodySent::with_body ? response.body().size() : 0);
  input.consume(std::min(reader.bytes_used(), input.size()));
  reader.reset();
  reader.secrets_in_target(loop_.server().options.secrets_in_target);
  response.clear();
  told_to_continue_ = false;
  awaited_ = Awaited::nothing;
  if (loop_.outbox().own().size() > gathered_bytes_max) flush();
}

void Connection::observe(int status, std::size_t body_bytes_out) {
  const auto& observer = loop_.server().observer;
  if (!observer) return;
  const auto& request = exchange_->reader.request();
  const auto target = status >= 400 ? request.target_for_log() : std::string();
  observer({.method = request.method(),
            .route = route_ ? std::string_view(route_->pattern) : std::string_view(),
            .target = target,
            .request_id = request.id(),
            .peer = exchange_->reader.request().peer(),
            .status = status,
            .took = std::chrono::steady_clock::now() - began_,
            .body_bytes_in = request.body().size(),
            .body_bytes_out = body_bytes_out});
}

// Writing.

// Sends what it has in the outbox; what the socket does not take now is kept here. True: all is
// sent. False: the connection is writing or closed.
bool Connection::flush() {
  auto& outbox = loop_.outbox();
  const auto own = outbox.own();
  if (phase_ == Phase::writing) {
    unsent_ += own;
    outbox.drop_own();
    return false;
  }
  if (own.empty()) return true;
  const auto sent = send_some(own);
  if (sent == own.size()) {
    outbox.drop_own();
    return true;
  }
  auto text = outbox.take_own();
  if (phase_ != Phase::closed) keep_unsent(std::move(text), sent);
  return false;
}

// The same, but what is to be sent may leave with the answers of all who have this turn. One of
// whom more is read in this turn would be answered too late.
bool Connection::flush_with_the_turn() {
  auto& outbox = loop_.outbox();
  if (!outbox.holds() || readable_ || phase_ != Phase::waiting || loop_.is_stopping()) {
    return flush();
  }
  if (!outbox.own().empty()) outbox.hold_own(*this);
  return true;
}

void Connection::send_held(std::string_view answers) noexcept {
  if (phase_ != Phase::waiting) return;
  guarded([&] {
    const auto sent = send_some(answers);
    if (sent == answers.size() || phase_ == Phase::closed) return;
    keep_unsent(std::string(answers), sent);
  });
}

// How much the socket took. Closes where it is broken.
std::size_t Connection::send_some(std::string_view text) {
  const auto sent = ::send(socket_.number(), text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent < 0 && errno != EAGAIN && errno != EINTR) close();
  return static_cast<std::size_t>(std::max<ssize_t>(sent, 0));
}

void Connection::keep_unsent(std::string text, std::size_t sent) {
  unsent_ = std::move(text);
  sent_of_unsent_ = sent;
  phase_ = Phase::writing;
  deadline_.expire_after(loop_.server().options.body_timeout);
  loop_.readiness().also_writable(socket_.number(), *this);
}

void Connection::write_on() {
  const auto sent = send_some(std::string_view(unsent_).substr(sent_of_unsent_));
  if (phase_ != Phase::writing) return;
  if (sent > 0) {
    sent_of_unsent_ += sent;
    deadline_.expire_after(loop_.server().options.body_timeout);
  }
  // Short of the whole the socket is full, and there will be an event when it has room.
  if (sent_of_unsent_ < unsent_.size()) return;
  unsent_ = std::string();
  sent_of_unsent_ = 0;
  phase_ = Phase::waiting;
  awaited_ = Awaited::nothing;
  go_on();
}

// The last answer is in the output: sends it and ends.
void Connection::go_on_or_end() {
  if (!flush()) return;
  if (drains_) return drain();
  close();
}

void Connection::drain() {
  ::shutdown(socket_.number(), SHUT_WR);
  phase_ = Phase::draining;
  loop_.give_back(std::move(exchange_));
  deadline_.expire_after(drain_time);
  readable_ = true;
  drain_on();
}

void Connection::drain_on() {
  char discarded[4096];
  for (int i = 0; readable_; ++i) {
    if (i == receives_per_turn) return loop_.readiness().again(socket_.number(), *this);
    drained_bytes_ += receive_into(discarded, sizeof discarded);
    if (drained_bytes_ > drained_bytes_max) close();
    if (phase_ != Phase::draining) return;
  }
}

}  // namespace stagedoor::http
