// What libcurl is allowed to do for us, against a server on loopback.
#include <gtest/gtest.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "store/web_fetch.h"

namespace stagedoor::store {
namespace {

// Answers every connection with the same bytes until it ends.
class OneAnswer {
 public:
  explicit OneAnswer(std::string answer) : answer_(std::move(answer)) {
    socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    EXPECT_EQ(::bind(socket_, reinterpret_cast<sockaddr*>(&address), length), 0);
    EXPECT_EQ(::listen(socket_, 8), 0);
    ::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &length);
    port_ = ntohs(address.sin_port);
    thread_ = std::jthread([this] { serve(); });
  }
  ~OneAnswer() {
    ::shutdown(socket_, SHUT_RDWR);
    thread_.join();
    ::close(socket_);
  }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/jwks"; }
  int port() const { return port_; }
  int connections() const { return connections_; }

 private:
  void serve() {
    while (true) {
      const int peer = ::accept(socket_, nullptr, nullptr);
      if (peer < 0) return;
      ++connections_;
      char head[4096];
      (void)!::read(peer, head, sizeof head);
      (void)!::send(peer, answer_.data(), answer_.size(), MSG_NOSIGNAL);
      ::close(peer);
    }
  }
  const std::string answer_;
  int socket_ = -1, port_ = 0;
  std::atomic<int> connections_ = 0;
  std::jthread thread_;
};

std::string reply(std::string_view body, std::string_view more = "",
                  std::string_view status = "200 OK") {
  return "HTTP/1.1 " + std::string(status) + "\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\nConnection: close\r\n" + std::string(more) + "\r\n" + std::string(body);
}

WebFetch for_development() {
  return WebFetch({.bytes_max = 1000, .allows_private_addresses = true});
}

TEST(WebFetch, ADocumentComesWithTheFieldsThatSayHowLongItIsGood) {
  const OneAnswer server(
      reply("{}", "Cache-Control: public\r\ncache-control:  max-age=60 \r\nAge: 7\r\n"));
  const auto document = for_development().fetch(server.url(), {});
  ASSERT_TRUE(document) << document.error().detail;
  EXPECT_EQ(document->body, "{}");
  EXPECT_EQ(document->cache_control, "public, max-age=60");
  EXPECT_EQ(document->age, "7");
}

// Rule fetch-guarded.
TEST(WebFetch, APrivateAddressIsNotAskedUnlessASettingAllowsIt) {
  const OneAnswer server(reply("{}"));
  WebFetch guarded({.bytes_max = 1000});
  const auto port = std::to_string(server.port());
  for (const auto& url : {server.url(), "https://127.0.0.1:" + port + "/",
                          "https://localhost:" + port + "/", "https://[::ffff:127.0.0.1]:" + port})
    EXPECT_FALSE(guarded.fetch(url, {})) << url;
  EXPECT_EQ(server.connections(), 0);
  EXPECT_TRUE(for_development().fetch(server.url(), {}));
}

// Rule fetch-guarded.
TEST(WebFetch, PlainHttpGoesToThisMachineOnly) {
  for (const auto* url : {"http://192.0.2.1/", "http://10.0.0.1/", "http://8.8.8.8/"}) {
    const auto document = for_development().fetch(url, {});
    ASSERT_FALSE(document);
    EXPECT_NE(document.error().detail.find("may not be asked"), std::string::npos) << url;
  }
}

// Rule fetch-guarded.
TEST(WebFetch, OtherProtocolsAreNotSpoken) {
  for (const auto* url : {"file:///etc/passwd", "ftp://127.0.0.1/", "gopher://127.0.0.1/", "x", ""})
    EXPECT_FALSE(for_development().fetch(url, {})) << url;
}

// Rule fetch-guarded.
TEST(WebFetch, ARedirectIsNotFollowed) {
  const OneAnswer elsewhere(reply("{}"));
  const OneAnswer server(reply("", "Location: " + elsewhere.url() + "\r\n", "302 Found"));
  const auto document = for_development().fetch(server.url(), {});
  ASSERT_FALSE(document);
  EXPECT_NE(document.error().detail.find("status 302"), std::string::npos);
  EXPECT_EQ(elsewhere.connections(), 0);
}

// Rule fetch-guarded.
TEST(WebFetch, MoreBytesThanAskedForAreRefused) {
  const OneAnswer fits(reply(std::string(1000, 'x')));
  EXPECT_TRUE(for_development().fetch(fits.url(), {}));
  const OneAnswer long_one(reply(std::string(1001, 'x')));
  EXPECT_FALSE(for_development().fetch(long_one.url(), {}));
  const OneAnswer endless("HTTP/1.1 200 OK\r\n\r\n" + std::string(100'000, 'x'));
  EXPECT_FALSE(for_development().fetch(endless.url(), {}));
}

TEST(WebFetch, OnlyStatus200IsADocument) {
  for (const auto* status : {"204 No Content", "404 Not Found", "500 Oh", "503 Busy"}) {
    const OneAnswer server(reply("", "", status));
    EXPECT_FALSE(for_development().fetch(server.url(), {})) << status;
  }
}

TEST(WebFetch, AFetchEndsWhenItIsToldTo) {
  std::stop_source source;
  source.request_stop();
  const OneAnswer server(reply("{}"));
  EXPECT_FALSE(for_development().fetch(server.url(), source.get_token()));
}

}  // namespace
}  // namespace stagedoor::store
