// A served Router and a raw client on loopback, for tests of this layer: the client is a blocking
// socket that sends exactly the bytes it is told.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <charconv>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "http/listener.h"

namespace stagedoor::http {

// Serves until its destructor. The options' port is any free one.
class Loopback {
 public:
  explicit Loopback(const Router& router, Options options = {},
                    RequestObserver observer = nullptr) {
    options.port = 0;
    if (options.threads == 0) options.threads = 1;
    auto opened = Listener::open(std::move(options), router, std::move(observer));
    if (!opened) throw std::runtime_error(opened.error().detail);
    listener_ = std::move(*opened);
    thread_ = std::thread([this] { listener_->run(); });
  }
  ~Loopback() {
    listener_->stop(std::chrono::milliseconds(0));
    join();
  }
  Loopback(const Loopback&) = delete;
  Loopback& operator=(const Loopback&) = delete;

  // Returns when `run` has.
  void join() {
    if (thread_.joinable()) thread_.join();
  }
  Listener& listener() { return *listener_; }
  std::uint16_t port() const { return listener_->port(); }

 private:
  std::unique_ptr<Listener> listener_;
  std::thread thread_;
};

struct Answer {
  int status = 0;
  std::string head, body;
  bool has(std::string_view line) const { return head.contains(line); }
};

class RawClient {
 public:
  // A small receive buffer lets a test fill it.
  explicit RawClient(const Loopback& server, int receive_bytes = 0) {
    socket_ = ::socket(AF_INET, SOCK_STREAM, 0);
    if (receive_bytes > 0) {
      ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof receive_bytes);
    }
    const int one = 1;
    ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    const timeval patience{.tv_sec = 20, .tv_usec = 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(server.port());
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    is_connected_ = ::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }
  ~RawClient() { close(); }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  bool is_connected() const { return is_connected_; }
  void close() {
    if (socket_ >= 0) ::close(std::exchange(socket_, -1));
  }
  void shut_sending() { ::shutdown(socket_, SHUT_WR); }

  // False: the server has closed.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }

  // At least one more byte into `received_`. False: the end, or patience is over.
  bool receive() {
    char bytes[65536];
    const auto count = ::recv(socket_, bytes, sizeof bytes, 0);
    timed_out_ = count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
    if (count <= 0) return false;
    received_.append(bytes, static_cast<std::size_t>(count));
    return true;
  }

  // Exactly so many bytes; fewer at the end.
  std::string take(std::size_t count) {
    while (received_.size() < count && receive()) {
    }
    auto taken = received_.substr(0, count);
    received_.erase(0, taken.size());
    return taken;
  }

  // nullopt: the connection ended before a whole answer.
  std::optional<Answer> answer(bool is_head = false) {
    std::size_t end;
    while ((end = received_.find("\r\n\r\n")) == std::string::npos) {
      if (!receive()) return std::nullopt;
    }
    Answer answer;
    answer.head = take(end + 4);
    std::from_chars(answer.head.data() + 9, answer.head.data() + 12, answer.status);
    constexpr std::string_view name = "Content-Length: ";
    std::size_t length = 0;
    if (const auto at = answer.head.find(name); at != std::string::npos && !is_head) {
      std::from_chars(answer.head.data() + at + name.size(), answer.head.data() + end, length);
    }
    answer.body = take(length);
    if (answer.body.size() < length) return std::nullopt;
    return answer;
  }
  std::optional<Answer> ask(std::string_view bytes, bool is_head = false) {
    send(bytes);
    return answer(is_head);
  }

  // Whether the server closes, after whatever it still sends.
  bool ends() {
    while (receive()) {
    }
    return !timed_out_;
  }
  const std::string& received() const { return received_; }

 private:
  int socket_ = -1;
  bool is_connected_ = false, timed_out_ = false;
  std::string received_;
};

inline std::string post(std::string_view path, std::string_view body,
                        std::string_view fields = "") {
  return "POST " + std::string(path) +
         " HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
         std::string(fields) + "\r\n" + std::string(body);
}
inline std::string get(std::string_view path, std::string_view fields = "") {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: localhost\r\n" + std::string(fields) +
         "\r\n";
}

}  // namespace stagedoor::http
