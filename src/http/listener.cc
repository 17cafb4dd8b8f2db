// SPDX-License-Identifier: Apache-2.0

#include "http/listener.h"

#include <netinet/tcp.h>
#include <sys/socket.h>

#include <atomic>
#include <cerrno>
#include <thread>
#include <utility>

#include "http/connection.h"
#include "http/server_loop.h"

namespace stagedoor::http {

namespace {

using boost::asio::ip::tcp;
using boost::system::error_code;
using ReusePort = boost::asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;

constexpr std::chrono::milliseconds pause_after_failed_accept{100};
// After so many the connections that are there have their turn.
constexpr int accepts_per_turn = 64;

// accept(2): what befell the one connection before it was taken, or nobody waits any more.
bool is_momentary(int error) {
  return error == EAGAIN || error == EINTR || error == ECONNABORTED || error == EPROTO ||
         error == ENETDOWN || error == EHOSTUNREACH || error == ENETUNREACH;
}

// One loop with its own listening socket, on which the kernel spreads the connections.
class Door {
 public:
  explicit Door(Server& server) : loop_(server), acceptor_(loop_.loop().io()) {}

  error_code open(const tcp::endpoint& endpoint) {
    error_code error;
    acceptor_.open(endpoint.protocol(), error);
    if (!error) acceptor_.set_option(Acceptor::reuse_address(true), error);
    if (!error) acceptor_.set_option(ReusePort(true), error);
    if (!error) acceptor_.bind(endpoint, error);
    if (!error) acceptor_.listen(Acceptor::max_listen_connections, error);
    if (!error) acceptor_.native_non_blocking(true, error);
    return error;
  }

  tcp::endpoint endpoint() { return acceptor_.local_endpoint(); }

  void run() {
    accept();
    loop_.loop().run();
  }

  void stop(std::chrono::milliseconds grace) {
    loop_.loop().mailbox()->post([this, grace] {
      error_code ignored;
      acceptor_.close(ignored);
      pause_.clear();
      loop_.begin_stop(grace);
    });
  }

  ServerLoop& loop() { return loop_; }

 private:
  void accept() {
    acceptor_.async_wait(Acceptor::wait_read, [this](const error_code& error) {
      if (!acceptor_.is_open()) return;
      // Out of descriptors or memory: others may give some back.
      if (error || !accept_some()) return pause_.expire_after(pause_after_failed_accept);
      accept();
    });
  }

  // False: the system refuses for now.
  bool accept_some() {
    for (int i = 0; i < accepts_per_turn; ++i) {
      tcp::endpoint peer;
      auto size = static_cast<socklen_t>(peer.capacity());
      Descriptor socket(
          ::accept4(acceptor_.native_handle(), peer.data(), &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
      if (!socket.is_open()) return is_momentary(errno);
      peer.resize(size);
      take(std::move(socket), peer.address());
    }
    return true;
  }

  void take(Descriptor socket, const boost::asio::ip::address& peer) {
    auto ticket = loop_.server().limits.admit(peer);
    if (!ticket) return;
    const int one = 1;
    ::setsockopt(socket.number(), IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    const Connection::Pointer connection(
        new Connection(loop_, std::move(socket), std::move(*ticket), peer.to_string()));
    connection->start();
  }

  ServerLoop loop_;
  Acceptor acceptor_;
  TimerWheel::Deadline pause_{loop_.loop().wheel(), [this] { accept(); }};
};

// SO_REUSEPORT would let two servers share a port unnoticed. A socket without it cannot be bound
// where another is.
error_code probe(const tcp::endpoint& endpoint) {
  boost::asio::io_context io;
  boost::asio::basic_socket_acceptor<tcp, Executor> acceptor(io);
  error_code error;
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(Acceptor::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  return error;
}

}  // namespace

struct Listener::Impl {
  Server server;
  std::vector<std::unique_ptr<Door>> doors;
  std::uint16_t port = 0;

  error_code open_doors(std::size_t count) {
    error_code error;
    const auto address = boost::asio::ip::make_address(server.options.address, error);
    tcp::endpoint endpoint(address, server.options.port);
    if (!error && endpoint.port() != 0) error = probe(endpoint);
    for (std::size_t i = 0; i < count && !error; ++i) {
      doors.push_back(std::make_unique<Door>(server));
      error = doors.back()->open(endpoint);
      if (!error) endpoint = doors.back()->endpoint();
    }
    port = endpoint.port();
    return error;
  }
};

Listener::Listener(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Listener::~Listener() = default;

base::Result<std::unique_ptr<Listener>> Listener::open(Options options, const Router& router,
                                                       RequestObserver observer) {
  const auto threads = options.threads > 0 ? static_cast<std::size_t>(options.threads)
                                           : std::max(1u, std::thread::hardware_concurrency());
  const auto connections_max = options.connections_max;
  const auto per_peer_max = options.connections_per_peer_max;
  const auto place = options.address + ":" + std::to_string(options.port);
  std::unique_ptr<Impl> impl(new Impl{.server = {.options = std::move(options),
                                                 .router = router,
                                                 .observer = std::move(observer),
                                                 .limits = {connections_max, per_peer_max}},
                                      .doors = {}});
  if (const auto error = impl->open_doors(threads)) {
    return base::fail(base::ErrorCode::unavailable,
                      "cannot listen on " + place + ": " + error.message());
  }
  return std::unique_ptr<Listener>(new Listener(std::move(impl)));
}

std::uint16_t Listener::port() const {
  return impl_->port;
}

void Listener::run() {
  std::vector<std::jthread> others;
  for (std::size_t i = 1; i < impl_->doors.size(); ++i) {
    others.emplace_back([&door = *impl_->doors[i]] { door.run(); });
  }
  impl_->doors.front()->run();
}

void Listener::stop(std::chrono::milliseconds grace) {
  for (auto& door : impl_->doors) door->stop(grace);
}

Listener::Counts Listener::counts() const {
  Counts counts{};
  for (auto& door : impl_->doors) {
    counts.connections += door->loop().connections();
    counts.websockets += door->loop().websockets();
  }
  return counts;
}

}  // namespace stagedoor::http
