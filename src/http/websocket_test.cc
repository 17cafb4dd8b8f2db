// SPDX-License-Identifier: Apache-2.0

#include "http/websocket.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <latch>

#include "http/loopback_for_test.h"

namespace stagedoor::http {
namespace {

using namespace std::chrono_literals;

enum Opcode : unsigned char {
  continuation = 0,
  text = 1,
  binary = 2,
  close = 8,
  ping = 9,
  pong = 10
};

struct FrameBits {
  bool last = true, masked = true;
  unsigned char reserved = 0;
};

// A client's frame.
std::string frame(unsigned char opcode, std::string_view payload, FrameBits bits = {}) {
  std::string bytes;
  bytes += static_cast<char>((bits.last ? 0x80 : 0) | bits.reserved << 4 | opcode);
  const char mask_bit = static_cast<char>(bits.masked ? 0x80 : 0);
  if (payload.size() < 126) {
    bytes += static_cast<char>(mask_bit | static_cast<char>(payload.size()));
  } else {
    const bool is_short = payload.size() < 65536;
    bytes += static_cast<char>(mask_bit | (is_short ? 126 : 127));
    for (int shift = is_short ? 8 : 56; shift >= 0; shift -= 8) {
      bytes += static_cast<char>(payload.size() >> shift);
    }
  }
  if (!bits.masked) return bytes.append(payload);
  constexpr std::string_view key = "\x12\x34\x56\x78";
  bytes += key;
  for (std::size_t i = 0; i < payload.size(); ++i) {
    bytes += static_cast<char>(payload[i] ^ key[i % 4]);
  }
  return bytes;
}

std::string close_payload(std::uint16_t code, std::string_view reason = "") {
  return std::string{static_cast<char>(code >> 8), static_cast<char>(code)}.append(reason);
}

struct Frame {
  int opcode = -1;  // -1: the connection has ended
  std::string payload;
  int close_code() const {
    return opcode == close && payload.size() >= 2 ? static_cast<unsigned char>(payload[0]) << 8 |
                                                        static_cast<unsigned char>(payload[1])
                                                  : -1;
  }
};

// Speaks RFC 6455 by hand.
class WebSocketClient : public RawClient {
 public:
  using RawClient::RawClient;

  std::optional<Answer> open(std::string_view path = "/echo",
                             std::string_view fields = "Sec-WebSocket-Version: 13\r\n") {
    return ask(get(path,
                   "Upgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"
                   "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
                       std::string(fields)));
  }

  Frame next() {
    const auto head = take(2);
    if (head.size() < 2) return {};
    std::size_t size = static_cast<unsigned char>(head[1]);
    if (size >= 126) {
      const std::size_t digits = size == 126 ? 2 : 8;
      size = 0;
      for (const char c : take(digits)) size = size << 8 | static_cast<unsigned char>(c);
    }
    return {head[0] & 0x0f, take(size)};
  }

  // The next that is no ping.
  Frame next_of_substance() {
    auto found = next();
    while (found.opcode == ping) found = next();
    return found;
  }
};

// What the last session of a door ended with.
struct Ending {
  std::promise<std::uint16_t> code;
  std::uint16_t wait() { return code.get_future().get(); }
};

Task<> echo(std::unique_ptr<WebSocket> socket, Ending* ending) {
  for (;;) {
    const auto message = co_await socket->read();
    if (!message) break;
    const std::string_view words(message->bytes.data(), message->bytes.size());
    if (words == "close, please") {
      socket->close(4001, "as you wish", "last word");
      continue;
    }
    if (words == "leave") co_return;
    if (words == "throw") throw std::runtime_error("a handler's mistake");
    const auto kind = message->is_binary ? "b:" : "t:";
    const auto sent = co_await socket->send(kind + std::string(words));
    if (!sent) break;
  }
  if (ending) ending->code.set_value(socket->close_code());
}

Router router(WebSocketOptions options = {}, Ending* ending = nullptr) {
  Router router;
  router.errors("/", [](Response& response, int status, std::string_view what) {
    response.start(status, "text/plain") = what;
  });
  router.add({"GET", "/echo", UpgradeHandler([=](const Request&, Upgrade& upgrade) -> Task<> {
                if (!upgrade.is_well_formed()) {
                  upgrade.refusal().start(426, "text/plain") = upgrade.problem();
                  co_return;
                }
                auto socket = co_await upgrade.accept(options);
                if (socket) co_await echo(std::move(*socket), ending);
              })});
  router.add({"GET", "/forbidden", UpgradeHandler([](const Request&, Upgrade& upgrade) -> Task<> {
                upgrade.refusal().start(403, "text/plain") = "not you";
                co_return;
              })});
  router.add({"GET", "/hello", Handler([](const Request&, Response& response) {
                response.start(200, "text/plain") = "hello";
              })});
  return router;
}

TEST(WebSocket, TheHandshakeOfTheStandardIsAnsweredAsInTheStandard) {
  const Router routes = router();
  const Loopback server(routes);
  WebSocketClient client(server);
  const auto answer = client.open();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 101);
  // RFC 6455 1.3 gives the answer to its example key.
  EXPECT_TRUE(answer->has("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
  EXPECT_TRUE(answer->has("X-Request-Id: "));
}

TEST(WebSocket, MessagesOfAllSizesComeBackWhole) {
  const Router routes = router();
  const Loopback server(routes);
  WebSocketClient client(server);
  client.open();
  for (const std::size_t size : {0, 1, 125, 126, 255, 256, 257, 4096, 65535, 65536, 1000000}) {
    const std::string payload(size, 'm');
    ASSERT_TRUE(client.send(frame(binary, payload)));
    EXPECT_EQ(client.next().payload, "b:" + payload) << size;
  }
  client.send(frame(text, "wörter"));
  EXPECT_EQ(client.next().payload, "t:wörter");
}

TEST(WebSocket, AFragmentedMessageIsOneMessageAlsoWithAPingInBetween) {
  const Router routes = router();
  const Loopback server(routes);
  WebSocketClient client(server);
  client.open();
  client.send(frame(text, "one ", {.last = false}) + frame(continuation, "two ", {.last = false}) +
              frame(ping, "are you there") + frame(continuation, "three"));
  const auto first = client.next();
  EXPECT_EQ(first.opcode, pong);
  EXPECT_EQ(first.payload, "are you there");
  EXPECT_EQ(client.next().payload, "t:one two three");
}

TEST(WebSocket, AMessageThatArrivesByteByByteIsRead) {
  const Router routes = router();
  const Loopback server(routes);
  WebSocketClient client(server);
  client.open();
  for (const char c : frame(binary, std::string(300, 's'))) ASSERT_TRUE(client.send({&c, 1}));
  EXPECT_EQ(client.next().payload, "b:" + std::string(300, 's'));
}

TEST(WebSocket, AClientsCloseIsAnsweredWithItsCode) {
  Ending ending;
  const Router routes = router({}, &ending);
  const Loopback server(routes);
  WebSocketClient client(server);
  client.open();
  client.send(frame(close, close_payload(4321, "bye")));
  EXPECT_EQ(client.next().close_code(), 4321);
  EXPECT_EQ(ending.wait(), 4321);
  EXPECT_TRUE(client.ends());
}

TEST(WebSocket, AConnectionLostWithoutAGoodbyeIs1006) {
  Ending ending;
  const Router routes = router({}, &ending);
  const Loopback server(routes);
  WebSocketClient client(server);
  client.open();
  client.close();
  EXPECT_EQ(ending.wait(), 1006);
}

TEST(WebSocket, OurCloseComesAfterTheLastWordAndEndsWithOurCode) {
  Ending ending;
  const Router routes = router({}, &ending);
  const Loopback server(routes);
  WebSocketClient client(server);
  client.open();
  client.send(frame(text, "close, please"));
  EXPECT_EQ(client.next().payload, "last word");
  const auto goodbye = client.next();
  EXPECT_EQ(goodbye.close_code(), 4001);
  EXPECT_EQ(goodbye.payload.substr(2), "as you wish");
  // What comes between the two goodbyes is read past.
  client.send(frame(text, "too late") + frame(close, close_payload(4001)));
  EXPECT_TRUE(client.ends());
  EXPECT_EQ(client.received(), "");
  EXPECT_EQ(ending.wait(), 4001);
}

TEST(WebSocket, AClientThatDoesNotAnswerOurCloseIsDropped) {
  Ending ending;
  const Router routes = router({}, &ending);
  const Loopback server(routes);
  WebSocketClient client(server);
  client.open();
  client.send(frame(text, "close, please"));
  EXPECT_TRUE(client.ends());
  EXPECT_EQ(ending.wait(), 4001);
}

TEST(WebSocket, ALastWordOfAnySizeArrivesWholeBeforeOurClose) {
  Router routes = router();
  static std::size_t size = 0;
  routes.add({"GET", "/goodbye", UpgradeHandler([](const Request&, Upgrade& upgrade) -> Task<> {
                auto socket = co_await upgrade.accept({});
                if (socket) (*socket)->close(4001, "as you wish", std::string(size, 'w'));
              })});
  const Loopback server(routes);
  for (const std::size_t one : {0u, 1u, 125u, 126u, 65535u, 65536u, 9'000'000u}) {
    size = one;
    WebSocketClient client(server);
    client.open("/goodbye");
    if (one > 0) {
      const auto last = client.next();
      EXPECT_EQ(last.opcode, binary);
      EXPECT_EQ(last.payload, std::string(one, 'w')) << one;
    }
    EXPECT_EQ(client.next().close_code(), 4001) << one;
  }
}

TEST(WebSocket, ASessionThatIsLeftIsClosedWith1000AndOneThatThrowsWith1011) {
  const Router routes = router();
  const Loopback server(routes);
  WebSocketClient left(server), thrown(server);
  left.open();
  left.send(frame(text, "leave"));
  EXPECT_EQ(left.next().close_code(), 1000);
  thrown.open();
  thrown.send(frame(text, "throw"));
  EXPECT_EQ(thrown.next().close_code(), 1011);
}

TEST(WebSocket, AMessageOverTheLimitClosesWith1009) {
  Ending ending;
  const Router routes = router({.message_bytes_max = 1000}, &ending);
  const Loopback server(routes);
  WebSocketClient client(server);
  client.open();
  client.send(frame(binary, std::string(1000, 'x')));
  EXPECT_EQ(client.next().payload.size(), 1002u);
  client.send(frame(binary, std::string(1001, 'x')));
  EXPECT_EQ(client.next().close_code(), 1009);
  EXPECT_EQ(ending.wait(), 1009);
}

TEST(WebSocket, FragmentsThatTogetherAreOverTheLimitCloseWith1009) {
  const Router routes = router({.message_bytes_max = 1000});
  const Loopback server(routes);
  WebSocketClient client(server);
  client.open();
  std::string all = frame(binary, "", {.last = false});
  for (int i = 0; i < 101; ++i) all += frame(continuation, "ten bytes!", {.last = false});
  client.send(all);
  EXPECT_EQ(client.next().close_code(), 1009);
}

TEST(WebSocket, LongMessagesShareTheirMemoryAndWhoGetsNoneIsToldToComeAgain) {
  MemoryBudget memory(100000);
  const Router routes = router({.message_memory = &memory});
  const Loopback server(routes);
  WebSocketClient holder(server), other(server), later(server);
  holder.open();
  // Held until its last fragment comes; the pong shows that the server has read it.
  holder.send(frame(binary, std::string(60000, 'x'), {.last = false}) + frame(ping, ""));
  EXPECT_EQ(holder.next().opcode, pong);
  other.open();
  other.send(frame(binary, std::string(60000, 'x')));
  EXPECT_EQ(other.next().close_code(), 1013);
  holder.send(frame(continuation, "end"));
  EXPECT_GE(holder.next().payload.size(), 60003u);
  holder.send(frame(binary, "short"));
  EXPECT_GE(holder.next().payload.size(), 5u);
  later.open();
  later.send(frame(binary, std::string(60000, 'x')));
  EXPECT_GE(later.next().payload.size(), 60000u);
}

int close_code_after(std::string_view bytes) {
  Ending ending;
  const Router routes = router({}, &ending);
  const Loopback server(routes);
  WebSocketClient client(server);
  client.open();
  client.send(bytes);
  const int sent = client.next_of_substance().close_code();
  EXPECT_EQ(ending.wait(), sent);
  client.shut_sending();
  EXPECT_TRUE(client.ends());
  return sent;
}

TEST(WebSocket, AFrameWithoutAMaskCloses1002) {
  EXPECT_EQ(close_code_after(frame(text, "x", {.masked = false})), 1002);
}

TEST(WebSocket, ReservedBitsClose1002) {
  EXPECT_EQ(close_code_after(frame(text, "x", {.reserved = 4})), 1002);
  EXPECT_EQ(close_code_after(frame(text, "x", {.reserved = 1})), 1002);
}

TEST(WebSocket, UnknownOpcodesClose1002) {
  EXPECT_EQ(close_code_after(frame(3, "x")), 1002);
  EXPECT_EQ(close_code_after(frame(11, "x")), 1002);
}

TEST(WebSocket, AContinuationOfNothingCloses1002) {
  EXPECT_EQ(close_code_after(frame(continuation, "x")), 1002);
}

TEST(WebSocket, AFragmentedOrLongControlFrameCloses1002) {
  EXPECT_EQ(close_code_after(frame(ping, "x", {.last = false})), 1002);
  EXPECT_EQ(close_code_after(frame(ping, std::string(126, 'x'))), 1002);
}

TEST(WebSocket, TextThatIsNotUtf8Closes1007) {
  EXPECT_EQ(close_code_after(frame(text, "\xc3\x28")), 1007);
}

TEST(WebSocket, ARefusedUpgradeIsAPlainAnswerAndTheConnectionGoesOn) {
  const Router routes = router();
  const Loopback server(routes);
  WebSocketClient client(server);
  const auto answer = client.open("/forbidden");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 403);
  EXPECT_EQ(answer->body, "not you");
  EXPECT_EQ(client.ask(get("/hello"))->body, "hello");
  EXPECT_EQ(client.open()->status, 101);
}

TEST(WebSocket, AMalformedHandshakeIsRefusedWithWhatIsMissing) {
  const Router routes = router();
  const Loopback server(routes);
  RawClient client(server);
  EXPECT_EQ(client.ask(get("/echo"))->status, 426);
  const std::string upgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\n";
  const std::string key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
  const std::string version = "Sec-WebSocket-Version: 13\r\n";
  EXPECT_TRUE(client.ask(get("/echo", upgrade + key))->body.contains("Version"));
  EXPECT_TRUE(client.ask(get("/echo", upgrade + version))->body.contains("Key"));
  EXPECT_TRUE(client.ask(get("/echo", upgrade + version + "Sec-WebSocket-Key: short\r\n"))
                  ->body.contains("Key"));
  EXPECT_TRUE(client.ask(get("/echo", key + version + "Connection: Upgrade\r\n"))
                  ->body.contains("Upgrade: websocket"));
  EXPECT_TRUE(client.ask(get("/echo", key + version + "Upgrade: websocket\r\n"))
                  ->body.contains("Connection"));
  EXPECT_TRUE(client.ask(get("/echo", upgrade + key + version) + frame(text, "early"))
                  ->body.contains("before its answer"));
}

// Sends without end to a peer that never reads.
TEST(WebSocket, AClientThatNeverReadsHoldsNoMoreThanTheOutboxAndIsDropped) {
  Ending ending;
  std::atomic<std::size_t> accepted = 0;
  const WebSocketOptions options{.outbox_bytes_max = 100000, .write_timeout = 1s};
  Router routes = router();
  routes.add({"GET", "/flood", UpgradeHandler([&](const Request&, Upgrade& upgrade) -> Task<> {
                auto socket = co_await upgrade.accept(options);
                if (!socket) co_return;
                for (;;) {
                  const auto sent = co_await (*socket)->send(std::string(10000, 'f'));
                  if (!sent) break;
                  accepted += 10000;
                }
                ending.code.set_value((*socket)->close_code());
              })});
  const Loopback server(routes);
  WebSocketClient client(server, 4096);
  ASSERT_EQ(client.open("/flood")->status, 101);
  EXPECT_EQ(ending.wait(), 1006);
  // The kernel's buffers take some megabytes; ours no more than the outbox and one message.
  EXPECT_GT(accepted, 100000u);
  EXPECT_LT(accepted, 64u << 20);
}

TEST(WebSocket, ASlowReaderGetsEverythingInOrder) {
  const WebSocketOptions options{.outbox_bytes_max = 20000};
  Router routes = router();
  routes.add({"GET", "/count", UpgradeHandler([&](const Request&, Upgrade& upgrade) -> Task<> {
                auto socket = co_await upgrade.accept(options);
                if (!socket) co_return;
                for (int i = 0; i < 2000; ++i) {
                  auto message = std::to_string(i);
                  message.resize(5000, ' ');
                  const auto sent = co_await (*socket)->send(std::move(message));
                  if (!sent) co_return;
                }
                (*socket)->close(4001, "that was all", "last word");
              })});
  const Loopback server(routes);
  WebSocketClient client(server, 4096);
  client.open("/count");
  for (int i = 0; i < 2000; ++i) {
    const auto got = client.next_of_substance();
    ASSERT_EQ(got.payload.size(), 5000u) << i;
    ASSERT_TRUE(got.payload.starts_with(std::to_string(i) + " ")) << i;
  }
  EXPECT_EQ(client.next_of_substance().payload, "last word");
  EXPECT_EQ(client.next().close_code(), 4001);
}

TEST(WebSocket, ASilentPeerIsPingedAndAPeerThatAnswersStays) {
  const Router routes = router({.ping_after = 1s});
  const Loopback server(routes);
  WebSocketClient client(server);
  client.open();
  // Longer than twice the silence that is allowed, were the pongs not heard.
  for (int i = 0; i < 3; ++i) {
    const auto got = client.next();
    ASSERT_EQ(got.opcode, ping) << i;
    client.send(frame(pong, got.payload));
  }
  client.send(frame(text, "here"));
  EXPECT_EQ(client.next_of_substance().payload, "t:here");
}

TEST(WebSocket, ADeadPeerIsDropped) {
  Ending ending;
  const Router routes = router({.ping_after = 1s}, &ending);
  const Loopback server(routes);
  WebSocketClient client(server);
  client.open();
  EXPECT_EQ(client.next().opcode, ping);
  EXPECT_TRUE(client.ends());
  EXPECT_EQ(ending.wait(), 1006);
}

TEST(WebSocket, AFloodOfTinyFramesStarvesNobodyOnTheLoop) {
  const Router routes = router();
  const Loopback server(routes);
  WebSocketClient flooder(server);
  flooder.open();
  std::string flood;
  for (int i = 0; i < 10000; ++i) flood += frame(continuation, "", {.last = false});
  for (int i = 0; i < 1000; ++i) flood += frame(ping, "");
  std::jthread sender([&](const std::stop_token& stop) {
    flooder.send(frame(text, "", {.last = false}));
    while (!stop.stop_requested() && flooder.send(flood)) {
    }
  });
  std::jthread reader([&] {
    while (flooder.receive()) {
    }
  });
  RawClient other(server);
  for (int i = 0; i < 50; ++i) {
    const auto answer = other.ask(get("/hello"));
    ASSERT_TRUE(answer) << i;
    EXPECT_EQ(answer->body, "hello");
  }
  sender.request_stop();
  sender.join();
  flooder.shut_sending();
}

TEST(WebSocket, AStopWaitsForAnOpenSessionAndThenDropsIt) {
  Ending ending;
  const Router routes = router({}, &ending);
  Loopback server(routes);
  WebSocketClient client(server);
  client.open();
  server.listener().stop(1h);
  client.send(frame(text, "still there"));
  EXPECT_EQ(client.next().payload, "t:still there");
  EXPECT_EQ(server.listener().counts().websockets, 1u);
  server.listener().stop(0ms);
  EXPECT_TRUE(client.ends());
  EXPECT_EQ(ending.wait(), 1006);
  server.join();
  EXPECT_EQ(server.listener().counts().websockets, 0u);
}

TEST(WebSocket, AStopReturnsWhenTheLastSessionHasEnded) {
  const Router routes = router();
  Loopback server(routes);
  WebSocketClient client(server);
  client.open();
  server.listener().stop(1h);
  client.send(frame(close, close_payload(1000)));
  EXPECT_EQ(client.next().close_code(), 1000);
  client.close();
  server.join();
}

}  // namespace
}  // namespace stagedoor::http
