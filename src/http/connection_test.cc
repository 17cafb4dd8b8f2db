// SPDX-License-Identifier: Apache-2.0

#include "http/connection.h"

#include <gtest/gtest.h>

#include <latch>
#include <mutex>
#include <stdexcept>
#include <vector>

#include "http/await.h"
#include "http/loopback_for_test.h"

namespace stagedoor::http {
namespace {

using namespace std::chrono_literals;

Task<> wait_for_another_thread(const Request& request, Response& response) {
  const int number = co_await answer_of<int>([](auto callback) {
    std::thread([callback = std::move(callback)]() mutable { callback(42); }).detach();
  });
  response.start(200, "text/plain") = std::to_string(number) + std::string(request.path());
}

Task<> throw_later(const Request& request, Response& response) {
  co_await wait_for_another_thread(request, response);
  throw std::runtime_error("a handler's mistake");
}

Router router() {
  Router router;
  const auto words = [](std::string door) {
    return [door](Response& response, int status, std::string_view what) {
      response.start(status, "text/plain") = door + ": " + std::string(what);
    };
  };
  router.errors("/", words("root"));
  router.errors("/v1/", words("v1"));
  const auto echo = [](const Request& request, Response& response) {
    response.start(200, "text/plain") = request.body();
    response.header("Seen-Id", request.id());
  };
  router.add({"POST", "/echo", Handler(echo)});
  router.add({"POST", "/v1/echo", Handler(echo)});
  router.add({"GET", "/hello", Handler([](const Request&, Response& response) {
                response.start(200, "text/plain") = "hello";
              })});
  router.add({"GET", "/large", Handler([](const Request&, Response& response) {
                response.start(200, "text/plain").assign(20u << 20, 'x');
              })});
  router.add({"GET", "/v1/throw", Handler([](const Request&, Response& response) {
                response.start(200, "text/plain") = "half an answer";
                throw std::runtime_error("a handler's mistake");
              })});
  router.add({"GET", "/v1/throw-later", WaitingHandler(throw_later)});
  router.add({"GET", "/wait", WaitingHandler(wait_for_another_thread)});
  router.add({"GET", "/at-once", WaitingHandler([](const Request& request, Response& response) {
                response.start(200, "text/plain") = request.path();
                return Task<>();
              })});
  return router;
}

class Served : public testing::Test {
 protected:
  const Router routes = router();
};

TEST_F(Served, AConnectionIsKeptForFurtherRequestsAndEachHasItsId) {
  const Loopback server(routes);
  RawClient client(server);
  const auto first = client.ask(post("/echo", "one"));
  const auto second = client.ask(post("/echo", "two"));
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->body, "one");
  EXPECT_EQ(second->body, "two");
  EXPECT_FALSE(first->has("Connection:"));
  EXPECT_TRUE(first->has("\r\nDate: "));
  const auto id_of = [](const Answer& answer) {
    return answer.head.substr(answer.head.find("X-Request-Id: ") + 14, 24);
  };
  EXPECT_NE(id_of(*first), id_of(*second));
  EXPECT_TRUE(first->has("Seen-Id: " + id_of(*first)));
}

TEST_F(Served, PipelinedRequestsAreAnsweredInTheirOrderAlsoWhereOneWaits) {
  const Loopback server(routes);
  RawClient client(server);
  std::string all;
  for (int i = 0; i < 300; ++i) {
    all += post("/echo", "number " + std::to_string(i));
    if (i % 7 == 0) all += get("/wait") + get("/at-once");
  }
  std::jthread sender([&] { client.send(all); });
  for (int i = 0; i < 300; ++i) {
    const auto answer = client.answer();
    ASSERT_TRUE(answer) << i;
    EXPECT_EQ(answer->body, "number " + std::to_string(i));
    if (i % 7 != 0) continue;
    const auto waited = client.answer();
    ASSERT_TRUE(waited) << i;
    EXPECT_EQ(waited->body, "42/wait");
    const auto at_once = client.answer();
    ASSERT_TRUE(at_once) << i;
    EXPECT_EQ(at_once->body, "/at-once");
  }
}

TEST_F(Served, ARequestThatArrivesByteByByteIsServed) {
  const Loopback server(routes);
  RawClient client(server);
  for (const char c : post("/echo", "slow")) ASSERT_TRUE(client.send({&c, 1}));
  EXPECT_EQ(client.answer()->body, "slow");
}

TEST_F(Served, AChunkedBodyIsTheSameBody) {
  const Loopback server(routes);
  RawClient client(server);
  const auto answer = client.ask(
      "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: "
      "chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
  EXPECT_EQ(answer->body, "abcde");
  EXPECT_EQ(client.ask(post("/echo", "next"))->body, "next");
}

TEST_F(Served, ABodyOfManyBlocksArrivesWhole) {
  const Loopback server(routes);
  RawClient client(server);
  const std::string body(900000, 'b');
  EXPECT_EQ(client.ask(post("/echo", body))->body, body);
  EXPECT_EQ(client.ask(post("/echo", "next"))->body, "next");
}

TEST_F(Served, Http10ClosesUnlessAskedToKeep) {
  const Loopback server(routes);
  RawClient kept(server);
  EXPECT_TRUE(kept.ask("GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
                  ->has("Connection: keep-alive"));
  const auto last = kept.ask("GET /hello HTTP/1.0\r\n\r\n");
  EXPECT_EQ(last->body, "hello");
  EXPECT_TRUE(last->has("Connection: close"));
  EXPECT_TRUE(kept.ends());
}

TEST_F(Served, ConnectionCloseIsObeyed) {
  const Loopback server(routes);
  RawClient client(server);
  EXPECT_TRUE(client.ask(get("/hello", "Connection: close\r\n"))->has("Connection: close"));
  EXPECT_TRUE(client.ends());
}

TEST_F(Served, HeadTellsTheLengthOfWhatGetSends) {
  const Loopback server(routes);
  RawClient client(server);
  const auto answer = client.ask("HEAD /hello HTTP/1.1\r\nHost: h\r\n\r\n", true);
  EXPECT_EQ(answer->status, 200);
  EXPECT_TRUE(answer->has("Content-Length: 5"));
  EXPECT_EQ(client.ask(get("/hello"))->body, "hello");
}

TEST_F(Served, ABodyIsAskedForWhereTheClientWaitsToSendIt) {
  const Loopback server(routes);
  RawClient client(server);
  client.send(
      "POST /echo HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
  EXPECT_EQ(client.take(25), "HTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_EQ(client.ask("body")->body, "body");
}

TEST_F(Served, ABodyThatNobodyWantsIsNotAskedFor) {
  const Loopback server(routes);
  RawClient client(server);
  const auto answer = client.ask(
      "POST /nowhere HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
  EXPECT_EQ(answer->status, 404);
  EXPECT_TRUE(client.ends());
}

TEST_F(Served, AnUnknownPathIs404InTheWordsOfItsDoor) {
  const Loopback server(routes);
  RawClient client(server);
  const auto answer = client.ask(get("/v1/nothing"));
  EXPECT_EQ(answer->status, 404);
  EXPECT_TRUE(answer->body.starts_with("v1: "));
  EXPECT_TRUE(client.ask(get("/nothing"))->body.starts_with("root: "));
}

TEST_F(Served, AnotherMethodIs405WithAllow) {
  const Loopback server(routes);
  RawClient client(server);
  const auto answer = client.ask(post("/hello", "x"));
  EXPECT_EQ(answer->status, 405);
  EXPECT_TRUE(answer->has("Allow: GET, HEAD\r\n"));
  EXPECT_EQ(client.ask(get("/hello"))->status, 200);
}

TEST_F(Served, AMalformedRequestIs400AndEndsTheConnection) {
  const Loopback server(routes);
  RawClient client(server);
  const auto answer = client.ask(
      "POST /v1/echo HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"
      "0\r\n\r\nGET /hello HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(answer->status, 400);
  EXPECT_TRUE(answer->has("Connection: close"));
  EXPECT_TRUE(answer->body.starts_with("v1: "));
  EXPECT_TRUE(client.ends());
  EXPECT_EQ(client.received(), "");
}

TEST_F(Served, ATooLargeBodyIs413AndTheClientThatSendsItAllStillReadsWhy) {
  const Loopback server(routes, {.body_bytes_max = 1000});
  RawClient client(server);
  ASSERT_TRUE(client.send(post("/v1/echo", std::string(2u << 20, 'x'))));
  const auto answer = client.answer();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 413);
  client.shut_sending();
  EXPECT_TRUE(client.ends());
}

TEST_F(Served, ATooLargeChunkedBodyIs413) {
  const Loopback server(routes, {.body_bytes_max = 10});
  RawClient client(server);
  const auto answer = client.ask(
      "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: "
      "chunked\r\n\r\n8\r\n12345678\r\n8\r\n12345678\r\n0\r\n\r\n");
  EXPECT_EQ(answer->status, 413);
}

TEST_F(Served, ATooLargeHeadIs431) {
  const Loopback server(routes, {.head_bytes_max = 500});
  RawClient client(server);
  EXPECT_EQ(client.ask(get("/hello", "X: " + std::string(600, 'x') + "\r\n"))->status, 431);
}

TEST_F(Served, AnExceptionOfAHandlerIsThe500OfItsDoorAndTheConnectionGoesOn) {
  const Loopback server(routes);
  RawClient client(server);
  for (const std::string_view path : {"/v1/throw", "/v1/throw-later"}) {
    const auto answer = client.ask(get(path));
    ASSERT_TRUE(answer) << path;
    EXPECT_EQ(answer->status, 500);
    EXPECT_TRUE(answer->body.starts_with("v1: ")) << answer->body;
    EXPECT_FALSE(answer->body.contains("mistake"));
  }
  EXPECT_EQ(client.ask(get("/hello"))->status, 200);
}

TEST_F(Served, AHeadThatTricklesIsCutWith408) {
  const Loopback server(routes, {.head_timeout = 0s});
  RawClient client(server);
  client.send("GET /hello HTTP/1.1\r\nHo");
  const auto answer = client.answer();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 408);
  EXPECT_TRUE(client.ends());
}

TEST_F(Served, ATrickleDoesNotMoveTheTimeOfAHead) {
  const Loopback server(routes, {.head_timeout = 1s});
  RawClient client(server);
  std::jthread trickle([&](const std::stop_token& stop) {
    client.send("GET /hello HTTP/1.1\r\n");
    while (!stop.stop_requested() && client.send("X: y\r\n")) std::this_thread::yield();
  });
  const auto answer = client.answer();
  ASSERT_TRUE(answer);
  EXPECT_TRUE(answer->status == 408 || answer->status == 431);
}

TEST_F(Served, ABodyThatDoesNotComeIsCutWith408InTheWordsOfItsDoor) {
  const Loopback server(routes, {.body_timeout = 0s});
  RawClient client(server);
  const auto answer =
      client.ask("POST /v1/echo HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nabc");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 408);
  EXPECT_TRUE(answer->body.starts_with("v1: "));
  EXPECT_TRUE(client.ends());
}

TEST_F(Served, AnIdleConnectionIsClosedWithoutAWord) {
  const Loopback server(routes, {.idle_timeout = 0s});
  RawClient client(server);
  EXPECT_TRUE(client.ends());
  EXPECT_EQ(client.received(), "");
}

TEST_F(Served, AnAnswerThatTheSocketCannotTakeAtOnceArrivesWhole) {
  const Loopback server(routes);
  RawClient client(server, 4096);
  client.send(get("/large") + get("/hello"));
  EXPECT_EQ(client.answer()->body.size(), 20u << 20);
  EXPECT_EQ(client.answer()->body, "hello");
}

TEST_F(Served, ManyAnswersToAClientThatReadsNoneOfThemAtFirstArriveWholeAndInOrder) {
  const Loopback server(routes);
  RawClient client(server, 4096);
  constexpr int count = 400;
  std::jthread sender([&] {
    for (int i = 0; i < count; ++i)
      client.send(post("/echo", std::string(30'000, static_cast<char>('a' + i % 26))));
  });
  for (int i = 0; i < count; ++i) {
    const auto answer = client.answer();
    ASSERT_TRUE(answer) << i;
    EXPECT_EQ(answer->body, std::string(30'000, static_cast<char>('a' + i % 26))) << i;
  }
}

TEST_F(Served, AClientThatAsksAndSaysThatItEndsInOnePacketGetsItsAnswers) {
  const Loopback server(routes);
  for (int i = 0; i < 20; ++i) {
    RawClient client(server);
    client.send(post("/echo", "one") + get("/wait") + post("/echo", "two"));
    client.shut_sending();
    EXPECT_EQ(client.answer()->body, "one");
    EXPECT_EQ(client.answer()->body, "42/wait");
    EXPECT_EQ(client.answer()->body, "two");
    EXPECT_TRUE(client.ends());
  }
}

TEST_F(Served, AClientThatDoesNotReadItsAnswerIsDropped) {
  Loopback server(routes, {.body_timeout = 0s});
  RawClient client(server, 4096);
  client.ask(get("/hello"));
  client.send(get("/large"));
  while (server.listener().counts().connections > 0) std::this_thread::yield();
  EXPECT_TRUE(client.ends());
  EXPECT_LT(client.received().size(), 20u << 20);
}

TEST_F(Served, AClientThatHasFinishedSendingStillGetsItsAnswer) {
  const Loopback server(routes);
  RawClient client(server);
  client.send(get("/wait"));
  client.shut_sending();
  EXPECT_EQ(client.answer()->body, "42/wait");
  EXPECT_TRUE(client.ends());
}

TEST_F(Served, MoreConnectionsThanAllowedAreClosedAtOnce) {
  const Loopback server(routes, {.connections_max = 2});
  RawClient first(server), second(server);
  ASSERT_TRUE(first.ask(get("/hello")) && second.ask(get("/hello")));
  RawClient third(server);
  EXPECT_TRUE(third.ends());
  EXPECT_TRUE(first.ask(get("/hello")));
}

TEST_F(Served, OnePeerMayNotHaveMoreThanItsShareAndGetsItBack) {
  const Loopback server(routes, {.connections_per_peer_max = 1});
  RawClient first(server);
  ASSERT_TRUE(first.ask(get("/hello")));
  RawClient second(server);
  EXPECT_TRUE(second.ends());
  first.ask(get("/hello", "Connection: close\r\n"));
  EXPECT_TRUE(first.ends());
  first.close();
  // The place is free when the server has seen the end, which is soon.
  std::optional<Answer> answer;
  while (!answer) answer = RawClient(server).ask(get("/hello"));
  EXPECT_EQ(answer->status, 200);
}

TEST_F(Served, TheObserverIsToldOfEachRequestAndOfTargetsOnlyWithoutSecrets) {
  std::mutex mutex;
  std::vector<std::string> seen;
  {
    const Loopback server(
        routes, {.secrets_in_target = {.query_names = {"token"}}},
        [&](const RequestRecord& record) {
          const std::lock_guard lock(mutex);
          seen.push_back(std::string(record.method) + " " + std::string(record.route) + " " +
                         std::string(record.target) + " " + std::to_string(record.status) + " " +
                         std::string(record.peer) + " " + std::to_string(record.body_bytes_in) +
                         " " + std::to_string(record.body_bytes_out));
        });
    RawClient client(server);
    client.ask(post("/echo?token=abc", "12"));
    client.ask(get("/nothing?token=abc&x=y"));
    client.ask("nonsense\r\n\r\n");
  }
  const std::vector<std::string> expected{"POST /echo  200 127.0.0.1 2 2",
                                          "GET  /nothing?token=***&x=y 404 127.0.0.1 0 36",
                                          "   400 127.0.0.1 0 30"};
  EXPECT_EQ(seen, expected);
}

TEST_F(Served, TwoServersCannotShareAPortUnnoticed) {
  const Loopback server(routes);
  const auto second = Listener::open({.port = server.port(), .threads = 1}, routes, nullptr);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, base::ErrorCode::unavailable);
}

TEST_F(Served, AnAddressThatIsNoneIsRefused) {
  EXPECT_FALSE(Listener::open({.address = "nowhere", .port = 0, .threads = 1}, routes, nullptr));
}

TEST_F(Served, StoppingClosesIdleConnectionsAndReturns) {
  Loopback server(routes, {.threads = 2});
  RawClient idle(server), fresh(server);
  ASSERT_TRUE(idle.ask(get("/hello")));
  server.listener().stop(1h);
  EXPECT_TRUE(idle.ends());
  server.join();
  EXPECT_EQ(server.listener().counts().connections, 0u);
  EXPECT_TRUE(fresh.ends());
}

TEST_F(Served, ARunningRequestIsAnsweredWithCloseWhenTheServerStops) {
  Router own;
  std::latch asked(1), go_on(1);
  std::jthread worker;
  own.errors("/",
             [](Response& response, int status, std::string_view) { response.start(status, ""); });
  own.add({"GET", "/slow", WaitingHandler([&](const Request&, Response& response) -> Task<> {
             const int number = co_await answer_of<int>([&](auto callback) {
               worker = std::jthread([&, callback = std::move(callback)]() mutable {
                 asked.count_down();
                 go_on.wait();
                 callback(5);
               });
             });
             response.start(200, "text/plain") = std::to_string(number);
           })});
  Loopback server(own);
  RawClient client(server);
  client.send(get("/slow"));
  asked.wait();
  server.listener().stop(1h);
  go_on.count_down();
  const auto answer = client.answer();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->body, "5");
  EXPECT_TRUE(answer->has("Connection: close"));
  server.join();
}

TEST_F(Served, AHandlerThatNeverFinishesIsGivenUpAfterTheGrace) {
  Router own;
  std::latch asked(1);
  std::move_only_function<void(int)> kept;
  own.errors("/",
             [](Response& response, int status, std::string_view) { response.start(status, ""); });
  own.add({"GET", "/never", WaitingHandler([&](const Request&, Response&) -> Task<> {
             co_await answer_of<int>([&](auto callback) {
               kept = std::move(callback);
               asked.count_down();
             });
           })});
  {
    Loopback server(own);
    RawClient client(server);
    client.send(get("/never"));
    asked.wait();
    server.listener().stop(0ms);
    EXPECT_TRUE(client.ends());
    server.join();
  }
  kept(1);
}

}  // namespace
}  // namespace stagedoor::http
