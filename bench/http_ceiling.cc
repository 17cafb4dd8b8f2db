// What HTTP/1.1 could cost at most on this machine: a server that reads no more of a request than
// it needs to find its end, and answers fixed bytes. The load goes to it and to a real server by
// turns, and only the ratio is told.
//
//   http_ceiling bare BODY      a bare epoll loop
//   http_ceiling plumbing BODY  src/http with a handler that does nothing else
//
// Both serve on one thread, on a free port of 127.0.0.1 that they print, until they are killed.
// Both answer the same bytes to a request of any method on /v1/ceiling (the bare one to any
// request).
//
// SPDX-License-Identifier: Apache-2.0

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "http/listener.h"

namespace {

using namespace stagedoor;

constexpr std::string_view content_type = "application/json";

struct Peer {
  int socket;
  std::size_t filled = 0;
  std::array<char, 16384> bytes;
};

// The length of the first request in `bytes`; 0: it is not whole.
std::size_t request_size(std::string_view bytes) {
  const auto end = bytes.find("\r\n\r\n");
  if (end == std::string_view::npos) return 0;
  constexpr std::string_view name = "\r\nContent-Length: ";
  std::size_t body = 0;
  if (const auto at = bytes.substr(0, end).find(name); at != std::string_view::npos) {
    std::from_chars(bytes.data() + at + name.size(), bytes.data() + end, body);
  }
  const auto size = end + 4 + body;
  return size <= bytes.size() ? size : 0;
}

// False: the peer is gone, or sends more than we hold.
bool serve(Peer& peer, std::string_view answer) {
  const auto received = ::recv(peer.socket, peer.bytes.data() + peer.filled,
                               peer.bytes.size() - peer.filled, MSG_DONTWAIT);
  if (received <= 0) return received < 0 && errno == EAGAIN;
  peer.filled += static_cast<std::size_t>(received);
  std::string_view rest(peer.bytes.data(), peer.filled);
  while (const auto size = request_size(rest)) {
    if (::send(peer.socket, answer.data(), answer.size(), MSG_NOSIGNAL) < 0) return false;
    rest.remove_prefix(size);
  }
  std::copy(rest.begin(), rest.end(), peer.bytes.begin());
  peer.filled = rest.size();
  return peer.filled < peer.bytes.size();
}

void accept_one(int listening, int poll) {
  const int socket = ::accept4(listening, nullptr, nullptr, SOCK_NONBLOCK);
  if (socket < 0) return;
  const int one = 1;
  ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  auto peer = std::make_unique<Peer>();
  peer->socket = socket;
  epoll_event event{.events = EPOLLIN, .data = {.ptr = peer.release()}};
  ::epoll_ctl(poll, EPOLL_CTL_ADD, socket, &event);
}

int listen_somewhere() {
  const int listening = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (::bind(listening, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      ::listen(listening, 4096) != 0 ||
      ::getsockname(listening, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    std::perror("http_ceiling");
    return -1;
  }
  fmt::print("{}\n", ntohs(address.sin_port));
  std::fflush(stdout);
  return listening;
}

int run_bare(std::string_view body) {
  const auto answer = fmt::format(
      "HTTP/1.1 200 OK\r\nContent-Type: {}\r\nContent-Length: {}\r\n"
      "Date: Thu, 01 Jan 1970 00:00:00 GMT\r\nX-Request-Id: 000000000000000000000000\r\n\r\n{}",
      content_type, body.size(), body);
  const int listening = listen_somewhere();
  if (listening < 0) return 1;
  const int poll = ::epoll_create1(0);
  epoll_event of_listening{.events = EPOLLIN, .data = {.ptr = nullptr}};
  ::epoll_ctl(poll, EPOLL_CTL_ADD, listening, &of_listening);
  for (;;) {
    std::array<epoll_event, 128> events;
    const int count = ::epoll_wait(poll, events.data(), static_cast<int>(events.size()), -1);
    for (int i = 0; i < count; ++i) {
      if (!events[i].data.ptr) {
        accept_one(listening, poll);
        continue;
      }
      std::unique_ptr<Peer> peer(static_cast<Peer*>(events[i].data.ptr));
      if (serve(*peer, answer)) {
        peer.release();
      } else {
        ::close(peer->socket);
      }
    }
  }
}

int run_plumbing(const std::string& body) {
  http::Router router;
  router.errors("/", [](http::Response& response, int status, std::string_view what) {
    response.start(status, "text/plain").append(what);
  });
  for (const char* method : {"GET", "POST"}) {
    router.add({.method = method,
                .pattern = "/v1/ceiling",
                .handler = http::Handler([&body](const http::Request&, http::Response& response) {
                  response.start(200, content_type).append(body);
                })});
  }
  const auto listener = http::Listener::open({.port = 0, .threads = 1}, router, nullptr);
  if (!listener) {
    fmt::print(stderr, "{}\n", listener.error().detail);
    return 1;
  }
  fmt::print("{}\n", (*listener)->port());
  std::fflush(stdout);
  (*listener)->run();
  return 0;
}

}  // namespace

int main(int argument_count, char** arguments) {
  const std::vector<std::string> words(arguments + 1, arguments + argument_count);
  if (words.size() == 2 && words[0] == "bare") return run_bare(words[1]);
  if (words.size() == 2 && words[0] == "plumbing") return run_plumbing(words[1]);
  fmt::print(stderr, "http_ceiling bare|plumbing BODY\n");
  return 2;
}
