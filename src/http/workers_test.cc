#include "http/workers.h"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>

#include "http/loopback_for_test.h"
#include "http/request_for_test.h"

namespace stagedoor::http {
namespace {

TEST(Workers, EachJobIsDoneOnce) {
  std::atomic<int> done = 0;
  {
    Workers workers({.threads = 4, .waiting_max = 1000});
    std::latch all(500);
    for (int i = 0; i < 500; ++i)
      ASSERT_TRUE(workers.submit([&] {
        ++done;
        all.count_down();
      }));
    all.wait();
  }
  EXPECT_EQ(done, 500);
}

TEST(Workers, MoreThanMayWaitAreRefusedAndNothingIsDone) {
  std::atomic<int> done = 0;
  std::latch began(1), may_end(1);
  Workers workers({.threads = 1, .waiting_max = 2});
  ASSERT_TRUE(workers.submit([&] {
    began.count_down();
    may_end.wait();
  }));
  began.wait();
  EXPECT_TRUE(workers.submit([&] { ++done; }));
  EXPECT_TRUE(workers.submit([&] { ++done; }));
  EXPECT_FALSE(workers.submit([&] { done += 100; }));
  may_end.count_down();
  std::latch last(1);
  while (!workers.submit([&] { last.count_down(); })) std::this_thread::yield();
  last.wait();
  EXPECT_EQ(done, 2);
}

TEST(Workers, StoppingFinishesWhatIsUnderWayAndGivesUpWhatWaits) {
  std::atomic<int> done = 0;
  std::latch began(1), may_end(1);
  Workers workers({.threads = 1, .waiting_max = 1u << 30});
  ASSERT_TRUE(workers.submit([&] {
    began.count_down();
    may_end.wait();
    ++done;
  }));
  began.wait();
  ASSERT_TRUE(workers.submit([&] { done += 100; }));
  std::jthread stopper([&] { workers.stop(); });
  while (workers.submit([&] { done += 100; })) std::this_thread::yield();
  may_end.count_down();
  stopper.join();
  EXPECT_EQ(done, 1);
  EXPECT_FALSE(workers.submit([] {}));
}

TEST(KeptRequest, IsTheSameAfterTheOriginalIsGone) {
  std::unique_ptr<KeptRequest> kept;
  {
    const RequestForTest request("POST", "/a%20b/c?token=hunter2&x=%31",
                                 {{"X-One", "1"}, {"x-two", "2"}, {"X-One", "3"}}, "the body");
    kept = std::make_unique<KeptRequest>(*request);
  }
  const Request& request = **kept;
  EXPECT_EQ(request.method(), "POST");
  EXPECT_EQ(request.path(), "/a%20b/c");
  EXPECT_EQ(request.query("x"), "1");
  EXPECT_EQ(request.header("X-TWO"), "2");
  EXPECT_EQ(request.header_count("X-One"), 2u);
  EXPECT_EQ(request.header("X-One"), "1");
  EXPECT_EQ(request.body(), "the body");
  EXPECT_EQ(request.id(), "test-request");
  EXPECT_EQ(request.peer(), "192.0.2.1");
  EXPECT_EQ(base::text_of(request.client()), "192.0.2.1");
}

TEST(KeptRequest, WithoutABodyOrFieldsItIsTheSame) {
  std::unique_ptr<KeptRequest> kept;
  {
    const RequestForTest request("GET", "/");
    kept = std::make_unique<KeptRequest>(*request);
  }
  EXPECT_EQ((**kept).path(), "/");
  EXPECT_EQ((**kept).body(), "");
  EXPECT_EQ((**kept).header("Host"), "localhost");
}

// What the client's address is, through a real connection from 127.0.0.1.
std::string client_seen(std::vector<base::Network> proxies, std::string_view fields) {
  Router router;
  router.add({"GET", "/who", Handler([](const Request& request, Response& response) {
                response.start(200, "text/plain") =
                    std::string(request.peer()) + " " + base::text_of(request.client());
              })});
  Options options;
  options.trusted_proxies = std::move(proxies);
  const Loopback server(router, std::move(options));
  RawClient client(server);
  const auto first = client.ask(get("/who", fields)).value_or(Answer{}).body;
  // The next request on the same connection is for itself.
  EXPECT_EQ(client.ask(get("/who"))->body, "127.0.0.1 127.0.0.1");
  return first;
}

// Rule client-address-by-trusted-proxies.
TEST(TrustedProxies, OnlyFromThemIsTheClientsAddressTakenFromTheHead) {
  const std::vector<base::Network> this_machine = {*base::parse_network("127.0.0.0/8")};
  const std::vector<base::Network> others = {*base::parse_network("10.0.0.0/8")};
  const std::string_view said = "X-Forwarded-For: 6.6.6.6, 198.51.100.1\r\n";
  EXPECT_EQ(client_seen({}, said), "127.0.0.1 127.0.0.1");
  EXPECT_EQ(client_seen(others, said), "127.0.0.1 127.0.0.1");
  EXPECT_EQ(client_seen(this_machine, said), "198.51.100.1 198.51.100.1");
  EXPECT_EQ(client_seen(this_machine, ""), "127.0.0.1 127.0.0.1");
  EXPECT_EQ(client_seen(this_machine, "X-Forwarded-For: x\r\n"), "127.0.0.1 127.0.0.1");
  EXPECT_EQ(client_seen(this_machine, "x-forwarded-for: 2001:db8::5, 127.0.0.9\r\n"),
            "2001:db8::5 2001:db8::5");
}

// Rule client-address-by-trusted-proxies.
TEST(TrustedProxies, SeveralFieldsAreOneListWhoseLastAddressCounts) {
  const std::vector<base::Network> this_machine = {*base::parse_network("127.0.0.0/8")};
  EXPECT_EQ(
      client_seen(this_machine, "X-Forwarded-For: 198.51.100.1\r\nX-Forwarded-For: 6.6.6.6\r\n"),
      "6.6.6.6 6.6.6.6");
  EXPECT_EQ(
      client_seen(this_machine, "X-Forwarded-For: 198.51.100.1\r\nX-Forwarded-For: 127.0.0.2\r\n"),
      "198.51.100.1 198.51.100.1");
  EXPECT_EQ(client_seen(this_machine, "X-Forwarded-For: 198.51.100.1\r\nX-Forwarded-For:\r\n"),
            "127.0.0.1 127.0.0.1");
  std::string many;
  for (int i = 0; i < 60; ++i) many += "X-Forwarded-For: 127.0.0.3\r\n";
  EXPECT_EQ(client_seen(this_machine, "X-Forwarded-For: 198.51.100.1\r\n" + many),
            "198.51.100.1 198.51.100.1");
}

}  // namespace
}  // namespace stagedoor::http
