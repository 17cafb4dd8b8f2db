// A client's UDP socket for tests and measurements of what runs on real ones.
//
// SPDX-License-Identifier: Apache-2.0

#pragma once

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "base/network.h"
#include "media/endpoint.h"

namespace stagedoor::media {

// Connected, so that it hears only whom it asked. Never waits.
class UdpSocket {
 public:
  UdpSocket(const base::Address& to, std::uint16_t port)
      : number_(::socket(AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK, 0)) {
    connect_to(to, port);
  }
  ~UdpSocket() { ::close(number_); }
  UdpSocket(const UdpSocket&) = delete;
  UdpSocket& operator=(const UdpSocket&) = delete;

  void connect_to(const base::Address& to, std::uint16_t port) {
    sockaddr_in6 name{};
    name.sin6_family = AF_INET6;
    name.sin6_port = htons(port);
    std::copy(to.bytes.begin(), to.bytes.end(), name.sin6_addr.s6_addr);
    is_connected = connect(number_, reinterpret_cast<sockaddr*>(&name), sizeof name) == 0;
  }
  void send(Bytes bytes) { static_cast<void>(::send(number_, bytes.data(), bytes.size(), 0)); }
  // Empty: nothing has come.
  std::vector<std::uint8_t> receive() {
    std::vector<std::uint8_t> bytes(2048);
    const auto length = recv(number_, bytes.data(), bytes.size(), 0);
    bytes.resize(length > 0 ? static_cast<std::size_t>(length) : 0);
    return bytes;
  }
  int number() const { return number_; }

  bool is_connected = false;

 private:
  int number_;
};

}  // namespace stagedoor::media
