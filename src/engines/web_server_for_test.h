// A small HTTP server on this machine that answers each request as a test tells it.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace stagedoor::engines {

// One request at a time, one request a connection.
class WebServer {
 public:
  struct Request {
    std::string head, body;
  };
  // Sends with `send`; the connection is closed when it returns.
  using Answer =
      std::function<void(const Request&, const std::function<bool(const std::string&)>& send)>;

  explicit WebServer(Answer answer) : answer_(std::move(answer)) {
    socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    EXPECT_EQ(::bind(socket_, reinterpret_cast<sockaddr*>(&address), length), 0);
    EXPECT_EQ(::listen(socket_, 16), 0);
    ::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &length);
    url_ = "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port));
    thread_ = std::thread([this] { serve(); });
  }
  ~WebServer() {
    is_stopping_ = true;
    ::shutdown(socket_, SHUT_RDWR);
    thread_.join();
    ::close(socket_);
  }

  const std::string& url() const { return url_; }
  std::vector<Request> requests() {
    const std::lock_guard lock(mutex_);
    return requests_;
  }
  bool is_stopping() const { return is_stopping_; }

 private:
  void serve() {
    while (!is_stopping_) {
      const int client = ::accept4(socket_, nullptr, nullptr, SOCK_CLOEXEC);
      if (client < 0) continue;
      const auto request = read(client);
      {
        const std::lock_guard lock(mutex_);
        requests_.push_back(request);
      }
      answer_(request, [client](const std::string& bytes) {
        return ::send(client, bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
               static_cast<ssize_t>(bytes.size());
      });
      ::close(client);
    }
  }
  static Request read(int client) {
    Request request;
    std::string all;
    char buffer[4096];
    std::size_t wanted = std::string::npos;
    while (all.size() < wanted) {
      const auto count = ::recv(client, buffer, sizeof buffer, 0);
      if (count <= 0) break;
      all.append(buffer, static_cast<std::size_t>(count));
      const auto end = all.find("\r\n\r\n");
      if (wanted != std::string::npos || end == std::string::npos) continue;
      const auto at = all.find("Content-Length: ");
      const auto length = at < end ? std::stoul(all.substr(at + 16)) : 0;
      wanted = end + 4 + length;
      request.head = all.substr(0, end);
    }
    if (wanted != std::string::npos) request.body = all.substr(request.head.size() + 4);
    return request;
  }

  Answer answer_;
  int socket_;
  std::string url_;
  std::mutex mutex_;
  std::vector<Request> requests_;
  std::atomic<bool> is_stopping_ = false;
  std::thread thread_;
};

inline std::string ok_head(const std::string& type) {
  return "HTTP/1.1 200 OK\r\nContent-Type: " + type + "\r\nConnection: close\r\n\r\n";
}

}  // namespace stagedoor::engines
